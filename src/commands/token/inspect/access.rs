//! `--allows 'METHOD URL'`: where a FHIR request goes, and whether the token's scopes allow it. Offline.

use url::Url;

use crate::error::{Error, Result};
use crate::oauth::access::{self, FhirRequest, Interaction};
use crate::oauth::jwt::TokenKind;
use crate::output::inspect::{Access, Inspection};
use crate::profile::Profile;

/// The hint for a malformed argument.
const EXAMPLE: &str = "for example: oneup token inspect --allows 'GET /Patient/1'";

/// The part of 1up's URLs that all exports have.
const EXPORT_PATH: &str = "/bulk-export/";

/// Decides about `METHOD URL`; a path is joined to the profile's FHIR base.
///
/// # Errors
/// Usage: not a method and a URL, or a path without a profile.
pub(super) fn check(inspection: &Inspection, argument: &str) -> Result<Access> {
    let profile = inspection.profile.as_ref();
    let (method, url) = parse(argument, profile)?;
    let mut access = Access { request: format!("{method} {url}"), ..Access::default() };
    if let Some(reason) = profile.and_then(|profile| elsewhere(profile, &url)) {
        access.decision.allowed = Some(false);
        access.decision.reason = Some(reason);
        return Ok(access);
    }
    let request = FhirRequest {
        method,
        path: path_below_base(&url, profile),
        query: url.query_pairs().into_owned().collect(),
        is_export_base: url.path().contains(EXPORT_PATH),
    };
    let interaction = request.interaction();
    access.interaction = describe(&interaction);
    let scope = inspection.granted_scope();
    let patient = inspection.metadata.launch_context.get("patient").and_then(|patient| patient.as_str());
    let claim = match &inspection.kind {
        TokenKind::Jwt(jwt) => jwt.claim("patient"),
        _ => None,
    };
    access.decision = access::decide(&interaction, scope.as_deref(), claim.or(patient));
    Ok(access)
}

fn parse(argument: &str, profile: Option<&Profile>) -> Result<(String, Url)> {
    let malformed =
        |what: &str| Error::usage(format!("--allows needs a method and a URL: {what}")).with_hint(EXAMPLE);
    let (method, target) =
        argument.trim().split_once(' ').ok_or_else(|| malformed("one of them is missing"))?;
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(malformed("the method is not a word"));
    }
    let target = target.trim();
    let target = match (target.strip_prefix('/'), profile) {
        (Some(path), Some(profile)) => format!("{}/{path}", profile.fhir_base.trim_end_matches('/')),
        (Some(_), None) => return Err(malformed("without a profile, the URL must be a whole one")),
        (None, _) => target.to_owned(),
    };
    let url = Url::parse(&target).map_err(|error| malformed("invalid URL").with_cause(error))?;
    if url.host_str().is_none() {
        return Err(malformed("the URL has no host"));
    }
    Ok((method.to_ascii_uppercase(), url))
}

/// Returns why a URL does not belong to the profile's FHIR base, tenant or host; `None` if it does.
fn elsewhere(profile: &Profile, url: &Url) -> Option<String> {
    let base = Url::parse(&profile.fhir_base).ok()?;
    if url.origin() != base.origin() {
        return Some(format!(
            "another host: {}; the FHIR base of profile {} is at {}",
            url.origin().ascii_serialization(),
            profile.name,
            base.origin().ascii_serialization()
        ));
    }
    let (tenant, own) = (tenant(url), tenant(&base));
    if let (Some(tenant), Some(own)) = (tenant, own)
        && tenant != own
    {
        return Some(format!("another tenant: {tenant}; the tenant of profile {} is {own}", profile.name));
    }
    let product = own.map_or(base.path().to_owned(), |own| format!("/v1/{own}"));
    (!is_below(url.path(), &product)).then(|| format!("another product: not below {product}"))
}

/// The tenant in 1up's URLs: `/v1/TENANT/…`.
fn tenant(url: &Url) -> Option<&str> {
    url.path().strip_prefix("/v1/")?.split('/').next().filter(|tenant| !tenant.is_empty())
}

fn is_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path below the profile's FHIR base; elsewhere, after the last segment that names a FHIR version.
fn path_below_base(url: &Url, profile: Option<&Profile>) -> String {
    let path = url.path();
    let base = profile.and_then(|profile| Url::parse(&profile.fhir_base).ok());
    if let Some(base) = base.filter(|base| is_below(path, base.path())) {
        return path[base.path().trim_end_matches('/').len()..].to_owned();
    }
    let segments: Vec<&str> = path.split('/').collect();
    let is_version = |segment: &&str| matches!(*segment, "r4" | "R4" | "dstu2" | "stu3" | "fhir");
    let start = segments.iter().rposition(is_version).map_or(0, |at| at + 1);
    segments[start..].join("/")
}

fn describe(interaction: &Interaction) -> Option<String> {
    match interaction {
        Interaction::Resource { name, resource, id, .. } => Some(match id {
            Some(id) => format!("{name} {resource}/{id}"),
            None if resource == "*" => format!("{name} all resource types"),
            None => format!("{name} {resource}"),
        }),
        Interaction::Export(types) if types.iter().any(|kind| kind == "*") => Some("bulk export".to_owned()),
        Interaction::Export(types) => Some(format!("bulk export of {}", types.join(", "))),
        Interaction::MemberMatch => Some("$member-match".to_owned()),
        Interaction::Public => Some("metadata".to_owned()),
        Interaction::Rejected(_) | Interaction::Undefined(_) => None,
    }
}
