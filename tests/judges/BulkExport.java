import au.csiro.fhir.auth.AuthConfig;
import au.csiro.fhir.export.BulkExportClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** One bulk export: DIRECTORY FHIR-URL LEVEL SINCE [TOKEN-URL CLIENT-ID CLIENT-SECRET METHOD]. */
public class BulkExport {
  public static void main(String[] args) {
    BulkExportClient.BulkExportClientBuilder builder =
        args[2].equals("system") ? BulkExportClient.systemBuilder() : BulkExportClient.patientBuilder();
    builder.withFhirEndpointUrl(args[1]).withOutputDir(args[0]).withTimeout(Duration.ofMinutes(1))
        .withTypes(List.of("Patient", "Coverage", "ExplanationOfBenefit"));
    if (!args[3].isEmpty()) {
      builder.withSince(Instant.parse(args[3]));
    }
    if (args.length > 4) {
      builder.withAuthConfig(AuthConfig.builder().enabled(true).useSMART(false).tokenEndpoint(args[4]).clientId(args[5])
          .clientSecret(args[6]).useFormForBasicAuth(args[7].equals("post")).scope("bulk-data|user/*.rs").build());
    }
    System.out.println(builder.build().export().getTransactionTime());
  }
}
