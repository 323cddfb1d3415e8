//! `$member-match` of the Payer-to-Payer exchange (HL7 Da Vinci HRex 1.0).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::access::{Caller, tenant};
use super::outcome::{Rejected, fhir_json, reject};
use crate::members;
use crate::state::{AppState, Shared};

/// Where HRex 1.0 defines the code of a unique member identifier.
const HREX_CODES: &str = "http://hl7.org/fhir/us/davinci-hrex/CodeSystem/hrex-temp";

/// Handles the POST of a Parameters resource with `MemberPatient` and `CoverageToMatch`.
pub(super) async fn handle(
    State(state): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    find(&state, uri.path(), &headers, &body)
        .map_or_else(|rejected| *rejected, |parameters| fhir_json(StatusCode::OK, &parameters))
}

fn find(state: &AppState, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Value, Rejected> {
    let caller = Caller::authenticate(state, headers)?;
    caller.require_tenant(state, tenant(path))?;
    caller.require_member_match()?;
    let invalid = |why: &str| reject(StatusCode::BAD_REQUEST, "invalid", why);
    let parameters: Value = serde_json::from_slice(body).map_err(|_| invalid("The body is not JSON"))?;
    let part = |name: &str| {
        let parts = parameters["parameter"].as_array()?;
        parts.iter().find(|part| part["name"] == name).map(|part| &part["resource"])
    };
    let patient = part("MemberPatient").ok_or_else(|| invalid("The parameter MemberPatient is missing"))?;
    let coverage =
        part("CoverageToMatch").ok_or_else(|| invalid("The parameter CoverageToMatch is missing"))?;
    let patients = members::resources("Patient").unwrap_or_default();
    let member = patients.iter().find(|member| is_member(member, patient, coverage));
    let member = member.ok_or_else(|| {
        let why = "No member has this family name, birth date and member ID";
        reject(StatusCode::UNPROCESSABLE_ENTITY, "not-found", why)
    })?;
    Ok(json!({
        "resourceType": "Parameters",
        "parameter": [{ "name": "MemberIdentifier", "valueIdentifier": {
            "type": { "coding": [{ "system": HREX_CODES, "code": "UMB" }] },
            "system": member["identifier"][0]["system"],
            "value": member["identifier"][0]["value"],
        } }],
    }))
}

fn is_member(member: &Value, patient: &Value, coverage: &Value) -> bool {
    let id = &member["identifier"][0]["value"];
    let identifiers = [&patient["identifier"], &coverage["identifier"]];
    let by_identifier =
        identifiers.into_iter().filter_map(Value::as_array).flatten().any(|one| one["value"] == *id);
    let family = |patient: &Value| patient["name"][0]["family"].as_str().map(str::to_lowercase);
    (by_identifier || coverage["subscriberId"] == *id)
        && family(patient) == family(member)
        && patient["birthDate"] == member["birthDate"]
}
