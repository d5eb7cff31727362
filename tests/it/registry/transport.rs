//! How the registry is reached: credentials, certificates, several addresses, and pauses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::{Auth, Endpoint, Tls};
use cyanotype::port::{PortError, Registry};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::stub::{Can, Mood, Stub};

/// An address where nobody listens.
async fn nobody() -> String {
    format!("http://{}", tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap())
}

fn several(first: &str, others: &[&str]) -> RegistryClient {
    let others = others.iter().map(|url| (*url).to_owned()).collect();
    RegistryClient::new(&Endpoint { others, ..Endpoint::new(first) }).unwrap()
}

#[tokio::test]
async fn the_next_address_serves_when_one_does_not_and_goes_on_serving() {
    let (one, two) = (Stub::new(Can::confluent(), &["a"]).await, Stub::new(Can::confluent(), &["a"]).await);
    let start = Instant::now();
    let client = several(&nobody().await, &[&one.url, &two.url]);
    assert_eq!(client.subjects().await.unwrap(), ["a"]);
    assert!(start.elapsed() < Duration::from_millis(200), "no pause before the next address: {:?}", start.elapsed());
    one.now().mood = Mood::Broken;
    assert_eq!(client.subjects().await.unwrap(), ["a"]);
    one.now().mood = Mood::Well;
    one.asked();
    two.asked();
    for _ in 0..3 {
        client.subjects().await.unwrap();
    }
    assert_eq!((one.asked().len(), two.asked().len()), (0, 3), "what serves is stayed with");
    // What is said of the one that serves is an answer, not a reason to ask another.
    two.now().mood = Mood::Unauthorized;
    assert!(matches!(client.subjects().await, Err(PortError::Refused { .. })));
    assert_eq!(one.asked().len(), 0);
}

#[tokio::test]
async fn all_addresses_are_named_when_none_serves() {
    let (one, two) = (nobody().await, nobody().await);
    let error = several(&one, &[&two]).subjects().await.unwrap_err();
    assert!(error.passing() && error.to_string().contains(&format!("{one}, {two}")), "{error}");
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let client = stub.client();
    // A short one is waited for within the call.
    stub.now().mood = Mood::Limited(1);
    let start = Instant::now();
    assert!(client.subjects().await.unwrap_err().passing());
    assert!(start.elapsed() >= Duration::from_secs(2), "two pauses of a second: {:?}", start.elapsed());
    assert_eq!(stub.asked().len(), 3);
    // A long one fails the call, and until it is over nothing is sent.
    let client = stub.client();
    stub.now().mood = Mood::Limited(3_600);
    assert!(client.subjects().await.unwrap_err().passing());
    stub.now().mood = Mood::Well;
    stub.asked();
    let error = client.subjects().await.unwrap_err();
    assert!(error.passing() && error.to_string().contains("Retry-After"), "{error}");
    assert_eq!(stub.asked().len(), 0);
}

#[tokio::test]
async fn calls_that_fail_are_not_repeated_without_end() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let client = stub.client();
    stub.now().mood = Mood::Down;
    let calls = (0..40).map(|_| client.subjects());
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_err));
    let asked = stub.asked().len();
    assert!((40..=60).contains(&asked), "{asked} requests for 40 calls");
}

/// Gives out tokens `token-1`, `token-2`, ... and counts them.
async fn tokens(lasts: &'static str) -> (String, Arc<AtomicUsize>) {
    let given = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&given);
    let answer = async move |headers: HeaderMap, body: String| {
        // `a:b%c` as user, `s3cret s3cret` as password: a form's encoding, then base64.
        let right = headers["authorization"] == "Basic YSUzQWIlMjVjOnMzY3JldCtzM2NyZXQ=";
        if !right || body != "grant_type=client_credentials&scope=sr+read" {
            let text = r#"{"error":"invalid_client","error_description":"not s3cret s3cret"}"#.to_owned();
            return (StatusCode::UNAUTHORIZED, text);
        }
        // Long enough for others to want one as well.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        (StatusCode::OK, format!(r#"{{"access_token":"token-{number}","token_type":"Bearer"{lasts}}}"#))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let app = Router::new().route("/token", post(answer));
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, given)
}

fn with_tokens(url: &str, token_url: &str, secret: &str) -> RegistryClient {
    let auth = Some(Auth::OAuth {
        token_url: token_url.to_owned(),
        client_id: "a:b%c".to_owned(),
        client_secret: secret.to_owned(),
        scope: Some("sr read".to_owned()),
    });
    let endpoint = Endpoint { auth, ..Endpoint::new(url) };
    assert!(!format!("{endpoint:?}").contains(secret));
    RegistryClient::new(&endpoint).unwrap()
}

/// The tokens that the registry was shown.
fn shown(stub: &Stub) -> Vec<String> {
    let asked = std::mem::take(&mut stub.now().asked);
    asked.iter().map(|(_, headers)| headers["authorization"].to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_for_many_calls_at_a_time() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let (url, given) = tokens(r#","expires_in":3600"#).await;
    let client = with_tokens(&stub.url, &url, "s3cret s3cret");
    let calls = (0..10).map(|_| client.subjects());
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok));
    assert_eq!(given.load(Ordering::SeqCst), 1);
    assert_eq!(shown(&stub), vec!["Bearer token-1"; 10]);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    // One that is over at once must be renewed for each call; a text is a number as well.
    for (lasts, fetched) in
        [(r#","expires_in":0"#, 3), (r#","expires_in":"0""#, 3), ("", 1), (r#","expires_in":60"#, 1)]
    {
        let (url, given) = tokens(lasts).await;
        let client = with_tokens(&stub.url, &url, "s3cret s3cret");
        for _ in 0..3 {
            client.subjects().await.unwrap();
        }
        assert_eq!(given.load(Ordering::SeqCst), fetched, "{lasts}");
    }
}

#[tokio::test]
async fn a_token_that_was_withdrawn_is_replaced() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let (url, given) = tokens(r#","expires_in":3600"#).await;
    let client = with_tokens(&stub.url, &url, "s3cret s3cret");
    client.subjects().await.unwrap();
    shown(&stub);
    stub.now().mood = Mood::Unauthorized;
    let error = client.subjects().await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error}");
    // Once more with another, and no more often.
    assert_eq!(
        (given.load(Ordering::SeqCst), shown(&stub)),
        (2, vec!["Bearer token-1".into(), "Bearer token-2".into()])
    );
    stub.now().mood = Mood::Well;
    client.subjects().await.unwrap();
    assert_eq!(given.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_the_giver_of_tokens_says_is_told_without_the_secret() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let (url, _) = tokens("").await;
    let error = with_tokens(&stub.url, &url, "not s3cret s3cret").subjects().await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("HTTP 401") && text.contains("auth.client_secret") && !text.contains("s3cret"), "{text}");
    let error = with_tokens(&stub.url, &nobody().await, "s3cret s3cret").subjects().await.unwrap_err();
    assert!(error.passing() && error.to_string().contains("no token"), "{error}");
    assert_eq!(stub.asked().len(), 0, "nothing is asked without a token");
}

/// Certificates of an authority, a server at 127.0.0.1 and a client.
struct Pki {
    ca: String,
    server: (String, String),
    client: (String, String),
}

fn pki() -> Pki {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let signed = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &ca).unwrap().pem(), key.serialize_pem())
    };
    Pki { server: signed("127.0.0.1"), client: signed("client.example"), ca: ca.pem() }
}

/// A registry behind TLS that asks for a certificate of the same authority.
async fn secured(pki: &Pki) -> String {
    let certificates = |pem: &str| vec![CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()];
    let mut roots = RootCertStore::empty();
    roots.add(certificates(&pki.ca).remove(0)).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(pki.server.1.as_bytes()).unwrap();
    let config = config.with_client_cert_verifier(verifier).with_single_cert(certificates(&pki.server.0), key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                let mut asked = [0; 4096];
                if stream.read(&mut asked).await.is_ok_and(|n| n > 0) {
                    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n[\"a\"]";
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn certificates_of_ours_and_of_an_authority_of_ours_are_used() {
    let pki = pki();
    let url = secured(&pki).await;
    let with = |tls: Tls| RegistryClient::new(&Endpoint { tls, ..Endpoint::new(&url) }).unwrap();
    let identity = Some(pki.client.clone());
    let right = with(Tls { ca: Some(pki.ca.clone()), identity: identity.clone() });
    assert_eq!(right.subjects().await.unwrap(), ["a"]);
    let unknown = with(Tls { ca: None, identity }).subjects().await.unwrap_err().to_string();
    assert!(unknown.contains("tls.ca"), "{unknown}");
    let unnamed = with(Tls { ca: Some(pki.ca.clone()), identity: None }).subjects().await.unwrap_err().to_string();
    assert!(unnamed.contains("tls.cert"), "{unnamed}");
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_refused_and_not_shown() {
    let pki = pki();
    let made =
        |tls: Tls| RegistryClient::new(&Endpoint { tls, ..Endpoint::new("https://r") }).err().map(|e| e.to_string());
    let ca = made(Tls { ca: Some("-----BEGIN nothing".to_owned()), identity: None }).unwrap();
    assert!(ca.contains("tls.ca holds no certificate"), "{ca}");
    let broken = ("-----BEGIN nothing".to_owned(), pki.client.1.clone());
    let identity = made(Tls { ca: None, identity: Some(broken) }).unwrap();
    assert!(identity.contains("tls.cert and tls.key") && !identity.contains("PRIVATE"), "{identity}");
    let headers = [("a b".to_owned(), "secret".to_owned())].into();
    let header = RegistryClient::new(&Endpoint { headers, ..Endpoint::new("http://r") }).err().unwrap().to_string();
    assert!(header.contains("`a b`") && !header.contains("secret"), "{header}");
}

#[tokio::test]
async fn headers_go_with_every_call() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    let headers = [("target-sr-cluster".to_owned(), "lsrc-1".to_owned())].into();
    let client = RegistryClient::new(&Endpoint { headers, ..Endpoint::new(&stub.url) }).unwrap();
    client.subjects().await.unwrap();
    assert_eq!(stub.now().asked[0].1["target-sr-cluster"], "lsrc-1");
}

#[tokio::test]
async fn a_slow_registry_is_waited_for() {
    let stub = Stub::new(Can::confluent(), &["a"]).await;
    stub.now().mood = Mood::Slow(Duration::from_millis(700));
    assert_eq!(stub.client().subjects().await.unwrap(), ["a"]);
    assert_eq!(stub.asked().len(), 1);
}
