//! `--store vault` against a real OpenBao: joining, messages, authentication. `.ci/openbao` installs it and prints the path
//! for `ONEUP_OPENBAO`.

mod fleet;
mod partition;

use serde_json::json;

use crate::support::{
    CLIENT_SECRET, Home, JWT_CLIENT, Oneup, OpenBao, RawServer, Sandbox, TokenEndpoint, json_response, jwt,
    requires_program, set_mode,
};

const PATH: &str = "secret/oneup/acme";
/// The path below the mount.
const ITEM: &str = "oneup/acme";
/// The policy that a machine needs.
const POLICY: &str = "path \"secret/data/oneup/*\" { capabilities = [\"create\", \"read\", \"update\"] }";

/// The first machine's login: all flags, the secret in a variable.
fn first_login(bao: &OpenBao, endpoint: &TokenEndpoint, home: &Home) -> Oneup {
    let login =
        endpoint.login(home).env_remove("ONEUP_STORE").args(["--store", "vault", "--vault-path", PATH]);
    bao.configure(login)
}

/// A login with nothing but its place in Vault, and no way to authenticate there.
fn login_at(home: &Home, path: &str) -> Oneup {
    let login = home.oneup().env_remove("ONEUP_STORE").args(["login", "provider", "--store", "vault"]);
    login.args(["--vault-path", path])
}

/// Any other machine's login.
fn join(bao: &OpenBao, home: &Home) -> Oneup {
    bao.configure(login_at(home, PATH))
}

fn show(bao: &OpenBao, home: &Home) -> Oneup {
    bao.configure(home.oneup().args(["token", "show"])).never(CLIENT_SECRET).never(bao.root_token())
}

/// A server, an endpoint, and a first machine that is logged in.
fn fixture(endpoint: TokenEndpoint) -> Option<(OpenBao, TokenEndpoint, Home)> {
    let bao = OpenBao::start()?;
    let home = Home::new();
    first_login(&bao, &endpoint, &home).stderr_has("kept in Vault").run();
    Some((bao, endpoint, home))
}

/// The same with a second machine that has joined, and an expired token.
fn fixture_of_two(endpoint: TokenEndpoint) -> Option<(OpenBao, TokenEndpoint, [Home; 2])> {
    let (bao, endpoint, first) = fixture(endpoint)?;
    let second = Home::new();
    join(&bao, &second).run();
    bao.expire_token(ITEM);
    Some((bao, endpoint, [first, second]))
}

#[test]
fn second_machine_joins_without_a_prompt_or_a_request() {
    let Some((bao, endpoint, first)) = fixture(TokenEndpoint::start()) else { return };
    let second = Home::new();
    join(&bao, &second)
        .stdout("")
        .stderr_has("Joined the login at secret/oneup/acme in Vault as profile provider: client c at ")
        .never(CLIENT_SECRET)
        .run();
    assert_eq!(endpoint.count(), 1, "the first login's");
    for home in [&first, &second] {
        show(&bao, home).stdout("token-0\n").run();
        bao.configure(home.oneup().args(["status", "--check"])).stdout_has("vault").run();
        bao.configure(home.oneup().arg("doctor"))
            .stdout_has("the login at secret/oneup/acme can be read")
            .outcome();
    }
    show(&bao, &second).arg("--refresh").stdout("token-1\n").run();
    show(&bao, &first).stdout("token-1\n").run();
    // The same secret joins too; another one is a new login, which the others get.
    join(&bao, &second).env("ONEUP_CLIENT_SECRET", CLIENT_SECRET).stderr_has("Joined").run();
    join(&bao, &second).env("ONEUP_CLIENT_SECRET", "new").stderr_has("Logged in").run();
    assert_eq!(bao.item(ITEM)["credentials"]["client_secret"], "new");
    show(&bao, &first).stdout("token-2\n").run();
    let posts = endpoint.requests().iter().filter(|request| request.is_for_token()).count();
    assert_eq!(posts, 3, "doctor's requests aside");

    bao.configure(second.oneup().arg("logout")).stderr_has("stays at secret/oneup/acme in Vault").run();
    show(&bao, &second).status(4).run();
    show(&bao, &first).arg("--refresh").stdout("token-3\n").run();
}

#[test]
fn login_of_another_client_endpoint_or_scope_is_an_error() {
    let Some((bao, endpoint, _first)) = fixture(TokenEndpoint::start()) else { return };
    let before = bao.item(ITEM);
    for (args, words) in [
        (["--client-id", "other"], "belongs to another client or endpoint"),
        (["--token-url", "https://login.example/token"], "belongs to another client or endpoint"),
        (["--gateway", "https://gateway.example"], "belongs to another client or endpoint"),
        (["--fhir-base", "https://fhir.example/r4"], "belongs to another client or endpoint"),
        (["--scope", "system/*.rs"], "has another scope"),
    ] {
        let home = Home::new();
        join(&bao, &home).args(args).status(2).stderr_has(words).stderr_has("hint: ").run();
        join(&bao, &home).args(args).env("ONEUP_CLIENT_SECRET", "s").status(2).stderr_has(words).run();
        assert!(!home.profile_file("provider").exists(), "{args:?}");
    }
    let p2p = Home::new().oneup().env_remove("ONEUP_STORE").args(["login", "p2p", "--store", "vault"]);
    bao.configure(p2p.args(["--vault-path", PATH])).status(2).stderr_has("is for Provider Access").run();
    assert_eq!(bao.item(ITEM), before, "nothing was changed");
    assert_eq!(endpoint.count(), 1, "nothing was sent");
}

#[test]
fn vault_path_on_the_command_line_chooses_vault() {
    let login = |store: &[&str]| {
        let login = Home::new().oneup().args(["login", "provider", "--client-id", "c"]).args(store);
        login.args(["--vault-path", PATH]).env("VAULT_ADDR", "http://vault.example").env("VAULT_TOKEN", "t")
    };
    login(&[]).status(2).stderr_has("http://vault.example").stderr_has("plain http").run();
    login(&["--store", "file"]).status(2).stderr_has("--vault-path needs --store vault").run();
}

#[test]
fn item_holds_client_endpoints_and_tenant() {
    let Some((bao, endpoint, _first)) = fixture(TokenEndpoint::start()) else { return };
    let item = bao.item(ITEM);
    assert_eq!(item["binding"]["client_id"], "c");
    assert_eq!(item["binding"]["token_url"], endpoint.token_url());
    assert_eq!(item["login"]["tenant"], "bison");
    assert_eq!(item["login"]["id"], "", "an ID is one machine's own");
    assert_eq!(item["credentials"]["client_secret"], CLIENT_SECRET);
    assert_eq!(item["claim"], json!(null));
}

#[test]
fn each_failure_has_its_own_message() {
    let Some((mut bao, endpoint, home)) = fixture(TokenEndpoint::start()) else { return };
    let with_token = |token: &str, path: &str| {
        let login = login_at(&Home::new(), path).env("VAULT_ADDR", bao.url());
        login.env("VAULT_TOKEN", token).never(token)
    };
    let reader =
        bao.token_with_policy("reader", "path \"secret/data/oneup/*\" { capabilities = [\"read\"] }", "1h");
    with_token(&reader, PATH)
        .status(6)
        .stderr_has("may not read and update secret/oneup/acme")
        .stderr_has("path \"secret/data/oneup/acme\" { capabilities = [\"create\", \"read\", \"update\"] }")
        .run();
    let other = bao.token_with_policy("other", "path \"secret/data/x\" { capabilities = [\"read\"] }", "1h");
    with_token(&other, PATH).status(6).stderr_has("may not read and update").run();
    with_token("no-such-token", PATH).status(6).stderr_has("(VAULT_TOKEN) has expired, was revoked").run();
    let expiring = bao.token_with_policy("expiring", "path \"x\" { capabilities = [\"read\"] }", "1s");
    std::thread::sleep(std::time::Duration::from_secs(2));
    with_token(&expiring, PATH).status(6).stderr_has("has expired").stderr_has("hint: vault login").run();

    let root = bao.root_token().to_owned();
    with_token(&root, "nowhere/oneup").status(6).stderr_has("no secrets engine at nowhere").run();
    bao.admin("POST", "sys/mounts/old", Some(&json!({"type": "kv", "options": {"version": "1"}})));
    with_token(&root, "old/oneup").status(6).stderr_has("is not a KV version 2 engine").run();
    bao.admin("POST", "secret/data/other", Some(&json!({"data": {"password": "x"}})));
    with_token(&root, "secret/other").status(6).stderr_has("is not a login of oneup").run();
    with_token(&root, "secret").status(2).stderr_has("invalid Vault path").run();
    let plain = join(&bao, &Home::new()).env("VAULT_ADDR", "http://vault.example:8200");
    plain.status(2).stderr_has("plain http").run();
    join(&bao, &Home::new())
        .env_remove("VAULT_TOKEN")
        .status(2)
        .stderr_has("no way to authenticate to Vault")
        .run();

    bao.seal();
    show(&bao, &home).status(6).stderr_has("is sealed").stderr_has("unseal").run();
    bao.stop();
    show(&bao, &home).status(5).stderr_has("can't be reached").stderr_has("VAULT_ADDR").run();
    bao.restart();
    show(&bao, &home).stdout("token-0\n").run();
    assert_eq!(endpoint.count(), 1);
}

#[test]
fn approle_and_openbaos_variables_authenticate() {
    let Some((bao, _endpoint, _first)) = fixture(TokenEndpoint::start()) else { return };
    bao.token_with_policy("oneup", POLICY, "1h");
    bao.admin("POST", "sys/auth/approle", Some(&json!({"type": "approle"})));
    bao.admin("POST", "auth/approle/role/jobs", Some(&json!({"token_policies": "oneup", "token_ttl": "5m"})));
    let role_id = bao.admin("GET", "auth/approle/role/jobs/role-id", None)["data"]["role_id"].clone();
    let secret_id = bao.admin("POST", "auth/approle/role/jobs/secret-id", None)["data"]["secret_id"].clone();
    let (role_id, secret_id) = (role_id.as_str().expect("an ID"), secret_id.as_str().expect("an ID"));
    let home = Home::new();
    let file = home.write_private("secret-id", format!("{secret_id}\n"));
    let approle = |run: Oneup| {
        run.env("BAO_ADDR", bao.url())
            .env("BAO_ROLE_ID", role_id)
            .env("VAULT_ADDR", "https://elsewhere.example")
    };
    let login = || approle(login_at(&home, PATH)).never(secret_id);
    login().env("VAULT_SECRET_ID_FILE", &file).stderr_has("Joined").run();
    login().env("BAO_SECRET_ID", secret_id).stderr_has("Joined").run();
    let wrong = login().env("BAO_SECRET_ID", "wrong").status(6);
    wrong.stderr_has("rejected the login by AppRole at auth/approle").stderr_has("VAULT_SECRET_ID").run();
    approle(home.oneup().args(["token", "show", "--refresh", "-v"]))
        .env("VAULT_SECRET_ID_FILE", &file)
        .stdout("token-1\n")
        .never(secret_id)
        .never(CLIENT_SECRET)
        .run();

    // The token file, as `vault login` leaves it.
    let token = home.write_private(".vault-token", bao.root_token());
    let from_file = || home.oneup().args(["token", "show"]).env("VAULT_ADDR", bao.url());
    #[cfg(unix)]
    {
        set_mode(&token, 0o644);
        from_file().status(1).stderr_has("permissions too open").run();
        set_mode(&token, 0o600);
    }
    from_file().stdout("token-1\n").run();
}

#[test]
fn kubernetes_role_authenticates() {
    if !requires_program("openssl") {
        return;
    }
    let Some((bao, _endpoint, _first)) = fixture(TokenEndpoint::start()) else { return };
    // Kubernetes' TokenReview: every token is that of the service account `jobs`.
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "status": {"authenticated": true, "audiences": ["vault"], "user": {"username": "system:serviceaccount:batch:jobs", "uid": "u"}},
    });
    let kubernetes = RawServer::start(move |_, _, _| json_response("200 OK", review.to_string()));
    bao.token_with_policy("oneup", POLICY, "1h");
    bao.admin("POST", "sys/auth/kubernetes", Some(&json!({"type": "kubernetes"})));
    let config = json!({
        "kubernetes_host": kubernetes.url(), "token_reviewer_jwt": "x", "disable_local_ca_jwt": true,
        "kubernetes_ca_cert": certificate(),
    });
    bao.admin("POST", "auth/kubernetes/config", Some(&config));
    let role = json!({
        "bound_service_account_names": "jobs", "bound_service_account_namespaces": "batch",
        "token_policies": "oneup", "audience": "vault",
    });
    bao.admin("POST", "auth/kubernetes/role/jobs", Some(&role));
    let home = Home::new();
    let jwt = home.write("token", service_account_token());
    let login = |role: &str| {
        login_at(&home, PATH).env("VAULT_ADDR", bao.url()).env("VAULT_ROLE", role).env("VAULT_JWT_FILE", &jwt)
    };
    login("jobs").stderr_has("Joined").run();
    login("other")
        .status(6)
        .stderr_has("rejected the login by Kubernetes role other")
        .stderr_has("VAULT_ROLE")
        .run();
}

/// Any certificate: the reviews go over plain http.
fn certificate() -> String {
    let request =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=k8s -keyout /dev/null";
    let output = std::process::Command::new("openssl").args(request.split(' ')).output().expect("openssl");
    String::from_utf8(output.stdout).expect("PEM")
}

/// A token of the service account `jobs` in `batch`; Kubernetes' own review says whether it is valid.
fn service_account_token() -> String {
    let claims = json!({
        "aud": ["vault"], "sub": "system:serviceaccount:batch:jobs", "exp": 4_000_000_000_u64, "iat": 1_700_000_000,
        "iss": "https://kubernetes.default.svc.cluster.local",
        "kubernetes.io": {"namespace": "batch", "serviceaccount": {"name": "jobs", "uid": "u"}},
    });
    jwt(r#"{"alg":"RS256","typ":"JWT"}"#, &claims.to_string())
}

#[test]
fn private_key_is_shared_too() {
    let Some(bao) = OpenBao::start() else { return };
    let sandbox = Sandbox::start_with_client_keys();
    let (first, second) = (Home::new(), Home::new());
    let key = first.write_client_key("es384.pem");
    let login = login_at(&first, PATH).args(["--gateway", sandbox.url(), "--client-id", JWT_CLIENT]);
    bao.configure(login.args(["--key-file", &key])).run();
    join(&bao, &second).stderr_has("Joined").run();
    let tokens = sandbox.count("/token");
    show(&bao, &second).arg("--refresh").run();
    assert_eq!(sandbox.count("/token"), tokens + 1);
    let jwks = |home: &Home| bao.configure(home.oneup().args(["key", "jwks"])).run().stdout;
    assert_eq!(jwks(&first), jwks(&second));
}

#[test]
fn mount_with_slashes_and_a_deleted_item_work() {
    let Some(bao) = OpenBao::start() else { return };
    let endpoint = TokenEndpoint::start();
    bao.mount("team/kv");
    let path = "team/kv/acme";
    let home = Home::new();
    let login = || {
        let login = endpoint.login(&home).env_remove("ONEUP_STORE").args(["--vault-path", path]);
        bao.configure(login)
    };
    login().stderr_has("kept in Vault").run();
    show(&bao, &home).stdout("token-0\n").run();
    bao.eventually("DELETE", "team/kv/data/acme", None);
    show(&bao, &home).status(4).stderr_has("hint: oneup login provider").run();
    login().stderr_has("Logged in").run();
    show(&bao, &home).stdout("token-1\n").run();
}
