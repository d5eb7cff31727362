//! Webhooks.

use std::time::Duration;

use tokio::net::TcpListener;

use super::Fake;
use crate::adapter::webhook::{WebhookNotifier, WebhookSettings};
use crate::port::{Notifier, OutgoingEvent, PortError};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn event() -> OutgoingEvent {
    OutgoingEvent { id: "msg_1".into(), kind: "rollout.done".into(), at_ms: 0, body: r#"{"a":"ü"}"#.into() }
}

fn notifier(fake: &Fake) -> WebhookNotifier {
    let url = format!("http://{}/hook/t0ken", fake.address);
    let notifier = WebhookNotifier::new(Some(&WebhookSettings { url, secret: SECRET.into() })).unwrap();
    notifier.hasty(Duration::from_millis(10))
}

#[tokio::test]
async fn a_webhook_is_signed_and_repeated_until_it_is_taken() {
    let fake = Fake::new(|_, before| if before < 3 { (500, String::new()) } else { (204, String::new()) }).await;
    notifier(&fake).notify(&event()).await.unwrap();
    let seen = fake.seen();
    assert_eq!(seen.len(), 4);
    let receiver = standardwebhooks::Webhook::new(SECRET).unwrap();
    for request in &seen {
        assert_eq!(request.line, "POST /hook/t0ken");
        assert_eq!((request.headers["webhook-id"].to_str().unwrap(), request.body.as_str()), ("msg_1", r#"{"a":"ü"}"#));
        assert_eq!(request.headers["content-type"], "application/json");
        receiver.verify(request.body.as_bytes(), &request.headers).unwrap();
        assert!(receiver.verify(b"{}", &request.headers).is_err());
    }
}

#[tokio::test]
async fn a_webhook_that_is_refused_is_not_repeated() {
    let fake = Fake::constant(410, "gone").await;
    let error = notifier(&fake).notify(&event()).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_given_up_after_five_tries_and_its_address_not_told() {
    let fake = Fake::constant(503, "").await;
    let error = notifier(&fake).notify(&event()).await.unwrap_err();
    assert!(error.passing() && !error.to_string().contains("t0ken"), "{error}");
    assert_eq!(fake.seen().len(), 5);
    let away = Fake { address: TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap(), ..fake };
    let error = notifier(&away).notify(&event()).await.unwrap_err();
    assert!(error.passing() && !error.to_string().contains("t0ken"), "{error}");
}

#[tokio::test]
async fn without_a_receiver_every_event_is_delivered() {
    WebhookNotifier::new(None).unwrap().notify(&event()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_receiver_is_turned_away() {
    for (url, secret) in
        [("hook", SECRET), ("ftp://x/", SECRET), ("http://x/", "whsec_"), ("http://x/", "whsec_%%%"), ("http://x/", "")]
    {
        let settings = WebhookSettings { url: url.into(), secret: secret.into() };
        let error = WebhookNotifier::new(Some(&settings)).err().expect("it is wrong").to_string();
        assert!(error.starts_with("webhook refused its "), "{error}");
        assert_eq!(format!("{settings:?}"), "WebhookSettings(***)");
    }
}
