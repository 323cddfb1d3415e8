import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.parser.StrictErrorHandler;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** Validates lines of LABEL, tab, resource against FHIR R4; prints LABEL, tab, and what is wrong with it. */
public class Validate {
  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    context.setParserErrorHandler(new StrictErrorHandler());
    FhirInstanceValidator module = new FhirInstanceValidator(new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context)));
    FhirValidator validator = context.newValidator().registerValidatorModule(module);
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      int tab = line.indexOf('\t');
      System.out.println(line.substring(0, tab) + "\t" + problems(context, validator, line.substring(tab + 1)));
    }
  }

  private static String problems(FhirContext context, FhirValidator validator, String resource) {
    try {
      context.newJsonParser().parseResource(resource);
      ValidationResult result = validator.validateWithResult(resource);
      return result.getMessages().stream()
          .filter(message -> message.getSeverity().ordinal() >= ResultSeverityEnum.ERROR.ordinal())
          .map(Validate::describe)
          .collect(Collectors.joining("; "));
    } catch (RuntimeException error) {
      return error.toString().replaceAll("\\s+", " ");
    }
  }

  private static String describe(SingleValidationMessage message) {
    return (message.getLocationString() + ": " + message.getMessage()).replaceAll("\\s+", " ");
  }
}
