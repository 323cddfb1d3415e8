//! The CapabilityStatement, which is public.

use serde_json::{Value, json};

use crate::members::TYPES;

const GUIDE: &str = "http://hl7.org/fhir/uv/bulkdata";

/// The CapabilityStatement of the sandbox at `base`.
pub(super) fn statement(base: &str) -> Value {
    let search = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let export = |operation: &str| json!({ "name": "export", "definition": format!("{GUIDE}/OperationDefinition/{operation}") });
    let resource = |kind: &str| {
        let mut parameters = vec![search("_id", "token")];
        match kind {
            "Patient" => parameters.push(search("identifier", "token")),
            "Coverage" => {
                parameters.extend([search("patient", "reference"), search("beneficiary", "reference")])
            }
            _ => parameters.push(search("patient", "reference")),
        }
        let mut resource = json!({
            "type": kind, "interaction": [{ "code": "read" }, { "code": "search-type" }],
            "searchParam": parameters,
        });
        if kind == "Patient" {
            let member_match = "http://hl7.org/fhir/us/davinci-hrex/OperationDefinition/member-match";
            resource["operation"] = json!([
                export("patient-export"), { "name": "member-match", "definition": member_match },
            ]);
        }
        resource
    };
    let group = json!({ "type": "Group", "operation": [export("group-export")] });
    let resources: Vec<Value> = TYPES.into_iter().map(resource).chain([group]).collect();
    let address = |extension: &str, url: String| json!({ "url": extension, "valueUri": url });
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": true,
        "date": "2026-01-15",
        "kind": "instance",
        "instantiates": [format!("{GUIDE}/CapabilityStatement/bulk-data")],
        "software": { "name": "oneup sandbox", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Synthetic members of the demo plan", "url": format!("{base}/r4") },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "security": {
                "service": [{ "coding": [{
                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                    "code": "SMART-on-FHIR",
                }] }],
                "extension": [{
                    "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                    "extension": [
                        address("authorize", format!("{base}/oauth2/authorize/test")),
                        address("token", format!("{base}/oauth2/token")),
                    ],
                }],
            },
            "resource": resources,
            "operation": [export("export")],
        }],
    })
}
