//! The synthetic members of the demo plan, and their FHIR R4 resources.

use serde_json::{Value, json};

/// The member who consents at the demo plan: id and member number of John Allen, from 1up's public guide.
pub(crate) const MEMBER: &str = "123456789123";

struct Member {
    id: &'static str,
    given: &'static str,
    family: &'static str,
    gender: &'static str,
    born: &'static str,
    city: &'static str,
    state: &'static str,
    zip: &'static str,
}

#[rustfmt::skip]
const MEMBERS: [Member; 12] = [
    Member { id: MEMBER, given: "John", family: "Allen", gender: "male", born: "1950-10-19", city: "Boston", state: "MA", zip: "02114" },
    Member { id: "100000000002", given: "Amara", family: "Okafor", gender: "female", born: "1984-03-02", city: "Houston", state: "TX", zip: "77002" },
    Member { id: "100000000003", given: "Mei", family: "Lindqvist", gender: "female", born: "1991-12-27", city: "Seattle", state: "WA", zip: "98101" },
    Member { id: "100000000004", given: "Tomás", family: "Herrera", gender: "male", born: "1967-06-14", city: "Miami", state: "FL", zip: "33101" },
    Member { id: "100000000005", given: "Ruth", family: "Bauman", gender: "female", born: "1939-01-30", city: "Chicago", state: "IL", zip: "60601" },
    Member { id: "100000000006", given: "Dev", family: "Raman", gender: "male", born: "2015-08-09", city: "San Jose", state: "CA", zip: "95112" },
    Member { id: "100000000007", given: "Siobhán", family: "Doyle", gender: "female", born: "1978-04-21", city: "Boston", state: "MA", zip: "02127" },
    Member { id: "100000000008", given: "Elias", family: "Nyström", gender: "other", born: "1999-11-05", city: "Portland", state: "OR", zip: "97201" },
    Member { id: "100000000009", given: "Grace", family: "Whitehorse", gender: "female", born: "1955-07-17", city: "Tucson", state: "AZ", zip: "85701" },
    Member { id: "100000000010", given: "Karim", family: "Haddad", gender: "male", born: "1972-02-08", city: "Detroit", state: "MI", zip: "48201" },
    Member { id: "100000000011", given: "Lena", family: "Novak", gender: "female", born: "2003-09-23", city: "Denver", state: "CO", zip: "80202" },
    Member { id: "100000000012", given: "Sam", family: "Ito", gender: "unknown", born: "1988-05-11", city: "Honolulu", state: "HI", zip: "96813" },
];

/// A service, its CPT-like local code, and what it costs.
const SERVICES: [(&str, &str, f64); 3] = [
    ("visit", "Office visit, established patient", 142.5),
    ("lab", "Basic metabolic panel", 38.2),
    ("flu", "Influenza vaccination", 29.0),
];

/// The resource types that can be read, searched and exported.
pub(crate) const TYPES: [&str; 3] = ["Patient", "Coverage", "ExplanationOfBenefit"];

/// Every resource of a type; `None` for an unknown type.
pub(crate) fn resources(kind: &str) -> Option<Vec<Value>> {
    match kind {
        "Patient" => Some(MEMBERS.iter().map(patient).collect()),
        "Coverage" => Some(MEMBERS.iter().map(coverage).collect()),
        "ExplanationOfBenefit" => {
            let benefits = |member| (0..SERVICES.len()).map(move |number| benefit(member, number));
            Some(MEMBERS.iter().flat_map(benefits).collect())
        }
        _ => None,
    }
}

/// The ID of the member that a resource is about.
pub(crate) fn member_of(resource: &Value) -> &str {
    let reference = match resource["resourceType"].as_str() {
        Some("Coverage") => &resource["beneficiary"]["reference"],
        Some("ExplanationOfBenefit") => &resource["patient"]["reference"],
        _ => &resource["id"],
    };
    reference.as_str().unwrap_or_default().trim_start_matches("Patient/")
}

/// Whether a resource is about this member; `None` matches all members.
pub(crate) fn belongs_to(resource: &Value, member: Option<&str>) -> bool {
    member.is_none_or(|member| member_of(resource) == member)
}

/// An ExplanationOfBenefit with this ID, for exports of any size.
pub(crate) fn benefit_with_id(id: &str) -> Value {
    let mut benefit = benefit(&MEMBERS[0], 0);
    benefit["id"] = json!(id);
    benefit
}

fn patient(member: &Member) -> Value {
    json!({
        "resourceType": "Patient",
        "id": member.id,
        "meta": { "lastUpdated": "2026-01-15T09:00:00Z" },
        "identifier": [{ "system": "https://plan.example/members", "value": member.id }],
        "active": true,
        "name": [{ "use": "official", "family": member.family, "given": [member.given] }],
        "gender": member.gender,
        "birthDate": member.born,
        "address": [{ "city": member.city, "state": member.state, "postalCode": member.zip, "country": "US" }],
    })
}

fn coverage(member: &Member) -> Value {
    json!({
        "resourceType": "Coverage",
        "id": format!("cov-{}", member.id),
        "meta": { "lastUpdated": "2026-01-15T09:00:00Z" },
        "status": "active",
        "subscriberId": member.id,
        "beneficiary": about(member),
        "relationship": { "text": "Self" },
        "period": { "start": "2025-01-01" },
        "payor": [{ "display": "Demo Health Plan" }],
        "class": [{ "type": { "text": "Plan" }, "value": "gold", "name": "Demo Gold PPO" }],
    })
}

fn benefit(member: &Member, number: usize) -> Value {
    let (code, service, cost) = SERVICES[number % SERVICES.len()];
    let dollars = |value: f64| json!({ "value": value, "currency": "USD" });
    let amount = |kind: &str, value: f64| json!({ "category": { "text": kind }, "amount": dollars(value) });
    let day = format!("2025-{:02}-11", number * 3 + 2);
    json!({
        "resourceType": "ExplanationOfBenefit",
        "id": format!("eob-{}-{}", member.id, number + 1),
        "meta": { "lastUpdated": format!("{day}T16:30:00Z") },
        "status": "active",
        "type": { "text": "Professional" },
        "use": "claim",
        "patient": about(member),
        "billablePeriod": { "start": day, "end": day },
        "created": day,
        "insurer": { "display": "Demo Health Plan" },
        "provider": { "display": "Demo Family Clinic" },
        "outcome": "complete",
        "insurance": [{ "focal": true, "coverage": { "reference": format!("Coverage/cov-{}", member.id) } }],
        "item": [{
            "sequence": 1,
            "productOrService": { "coding": [{ "system": "https://plan.example/services", "code": code }], "text": service },
            "servicedDate": day,
            "adjudication": [amount("submitted", cost), amount("paid", cost * 0.75)],
        }],
        "total": [amount("submitted", cost), amount("paid", cost * 0.75)],
    })
}

fn about(member: &Member) -> Value {
    let name = format!("{} {}", member.given, member.family);
    json!({ "reference": format!("Patient/{}", member.id), "display": name })
}
