//! The registry's section.

use super::*;

#[test]
fn a_registry_has_addresses_tokens_certificates_headers_and_a_topic() {
    let variables = [("SECRET", "hunter2hunter2hunter2"), ("KEY", "-----BEGIN PRIVATE KEY----- hunter2")];
    let of = |registry: &str| {
        let text = format!(
            "[env.dev]\nkafka.brokers = \"k:1\"\nflink = {{ gateway = \"http://g\", rest = \"http://f\" }}\n[env.dev.registry]\n{registry}"
        );
        read_with(&text, None, Need::Everything, &variables)
    };
    let all = of("url = [\"http://r1:8081/\", \"https://r2\"]\ntopic = \"_schemas\"\n\
         auth = { token_url = \"https://id/token\", client_id = \"c\", client_secret = { env = \"SECRET\" }, scope = \"sr\" }\n\
         tls = { ca = \"-----BEGIN CERTIFICATE-----\", cert = \"-----BEGIN CERTIFICATE-----\", key = { env = \"KEY\" } }\n\
         headers = { target-sr-cluster = \"lsrc-1\" }\n");
    let registry = all.unwrap().env.registry;
    assert_eq!(registry.urls, ["http://r1:8081", "https://r2"]);
    assert_eq!(registry.addresses(), "http://r1:8081,https://r2");
    let secret = Secret::new("hunter2hunter2hunter2");
    assert_eq!(
        registry.auth,
        Some(RegistryAuth::OAuth {
            token_url: "https://id/token".to_owned(),
            client_id: "c".to_owned(),
            client_secret: secret,
            scope: Some("sr".to_owned()),
        })
    );
    assert!(registry.tls.ca.is_some() && registry.tls.identity.is_some());
    assert_eq!(registry.headers["target-sr-cluster"].reveal(), "lsrc-1");
    assert_eq!(registry.topic.as_deref(), Some("_schemas"));
    assert!(!format!("{registry:?}").contains("hunter2") && !format!("{registry:?}").contains("PRIVATE"));

    for (wrong, said) in [
        ("", "missing key `env.dev.registry.url`"),
        ("url = []", "`env.dev.registry.url` is empty"),
        ("url = [\"http://r\", \"r2\"]", "`env.dev.registry.url` is not an address"),
        ("url = \"http://r\"\nauth = { token_url = \"https://id\" }", "missing key `env.dev.registry.auth.client_id`"),
        (
            "url = \"http://r\"\nauth = { token_url = \"https://id\", client_id = \"c\", client_secret = \"s\", user = \"u\" }",
            "unknown key `user`",
        ),
        ("url = \"http://r\"\ntls = { ca = \"ca.pem\" }", "holds no certificate or key in PEM"),
        ("url = \"http://r\"\ntls = { key = { env = \"KEY\" } }", "takes `cert` and `key` together"),
        ("url = \"http://r\"\ntls = { cert = \"hunter2\", key = \"hunter2\" }", "holds no certificate or key in PEM"),
        ("url = \"http://r\"\ntopic = \"a b\"", "`env.dev.registry.topic`"),
    ] {
        let error = of(wrong).unwrap_err();
        assert!(error.contains(said) && !error.contains("hunter2"), "{wrong}: {error}");
    }
}
