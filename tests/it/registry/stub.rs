//! A schema registry in memory that speaks Confluent's API over HTTP, can do as much or as little of it as is wanted, and
//! fails as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use cyanotype::adapter::registry::RegistryClient;
use cyanotype::adapter::rest::Endpoint;
use reqwest::Url;
use serde_json::{Value, json};

/// What it can do.
#[derive(Clone, Debug)]
pub struct Can {
    /// What `GET /schemas` is answered with.
    pub bulk: Bulk,
    /// Whether `subjectPrefix` is heeded.
    pub prefix: bool,
    /// Whether `offset` and `limit` are heeded.
    pub pages: bool,
    /// The most schemas in a page, whatever is asked for.
    pub page: usize,
    /// Whether `latestOnly` is heeded.
    pub latest_only: bool,
    /// Whether states are named, and known again.
    pub etags: bool,
    /// Whether subjects may be listed.
    pub listing: bool,
    /// Whether it has modes.
    pub modes: bool,
    /// Whether `defaultToGlobal` is heeded.
    pub to_global: bool,
}

/// What `GET /schemas` is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// What is asked for.
    Works,
    /// An empty list, whatever there is.
    Empty,
    /// This status.
    Status(u16),
    /// Something that is no list of schemas.
    Garbage,
}

impl Can {
    /// As Confluent's own.
    pub fn confluent() -> Self {
        Self {
            bulk: Bulk::Works,
            prefix: true,
            pages: true,
            page: 1000,
            latest_only: true,
            etags: false,
            listing: true,
            modes: true,
            to_global: true,
        }
    }

    /// As Karapace: all at once and nothing less.
    pub fn karapace() -> Self {
        Self { prefix: false, pages: false, page: usize::MAX, ..Self::confluent() }
    }

    /// As Apicurio: neither all at once nor modes.
    pub fn apicurio() -> Self {
        Self { bulk: Bulk::Status(404), modes: false, to_global: false, ..Self::confluent() }
    }
}

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Well.
    Well,
    /// As a proxy whose service is down.
    Down,
    /// After so long.
    Slow(Duration),
    /// 401.
    Unauthorized,
    /// 429, with seconds in `Retry-After`.
    Limited(u64),
    /// 500.
    Broken,
    /// 200 and no JSON.
    Garbage,
}

/// A version of a subject.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number.
    pub version: i32,
    /// Its schema.
    pub id: u32,
    /// Whether it is marked as deleted.
    pub deleted: bool,
    /// Its text and what it refers to; `None` is a text of the wanted size.
    pub schema: Option<Value>,
}

/// What it holds and how it is.
pub struct State {
    /// What it can do.
    pub can: Can,
    /// How it answers.
    pub mood: Mood,
    /// Versions by subject, with its context.
    pub subjects: BTreeMap<String, Vec<Version>>,
    /// How many more answers for all lack the last subject: it came in between.
    pub late: usize,
    /// Mode of all subjects.
    pub mode: &'static str,
    /// What `GET /config` says of each subject that has something of its own, and of all under an empty name.
    pub config: BTreeMap<String, Value>,
    /// Bytes of each schema.
    pub size: usize,
    /// Every request: method, path and query, headers.
    pub asked: Vec<(String, HeaderMap)>,
    ids: u32,
}

impl State {
    /// Registers one more version.
    pub fn register(&mut self, subject: &str) -> i32 {
        self.register_as(subject, None)
    }

    /// The same with `schema`, `references` and `metadata` as the registry would answer with them.
    pub fn register_as(&mut self, subject: &str, schema: Option<Value>) -> i32 {
        self.ids += 1;
        let versions = self.subjects.entry(subject.to_owned()).or_default();
        let version = versions.last().map_or(0, |last| last.version) + 1;
        versions.push(Version { version, id: self.ids, deleted: false, schema });
        version
    }

    /// Marks a version as deleted.
    pub fn delete(&mut self, subject: &str, version: i32) {
        let versions = self.subjects.get_mut(subject).into_iter().flatten();
        versions.filter(|v| v.version == version).for_each(|v| v.deleted = true);
    }
}

/// The registry.
pub struct Stub {
    state: Arc<Mutex<State>>,
    server: tokio::task::JoinHandle<()>,
    /// Its address.
    pub url: String,
}

impl Stub {
    /// One that holds `subjects`, each with one version.
    pub async fn new(can: Can, subjects: &[&str]) -> Self {
        let mut state = State {
            can,
            mood: Mood::Well,
            subjects: BTreeMap::new(),
            late: 0,
            mode: "READWRITE",
            config: BTreeMap::from([(String::new(), json!({ "compatibilityLevel": "BACKWARD" }))]),
            size: 100,
            asked: Vec::new(),
            ids: 0,
        };
        for subject in subjects {
            state.register(subject);
        }
        let state = Arc::new(Mutex::new(state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        let router = Router::new().fallback(async move |method: Method, uri: Uri, headers: HeaderMap, _: Bytes| {
            let slow = match shared.lock().unwrap().mood {
                Mood::Slow(wait) => Some(wait),
                _ => None,
            };
            if let Some(wait) = slow {
                tokio::time::sleep(wait).await;
            }
            let mut state = shared.lock().unwrap();
            state.asked.push((format!("{method} {uri}"), headers.clone()));
            answer(&mut state, &uri, &headers)
        });
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { state, server, url }
    }

    /// What it holds and how it is.
    pub fn now(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A client of it.
    pub fn client(&self) -> RegistryClient {
        RegistryClient::new(&Endpoint::new(&self.url)).unwrap()
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.now().asked).into_iter().map(|(line, _)| line).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn answer(state: &mut State, uri: &Uri, headers: &HeaderMap) -> Response {
    let said = |status: u16, code: i64| status_of(status, &json!({ "error_code": code, "message": "as told" }));
    match state.mood {
        Mood::Well | Mood::Slow(_) => {}
        Mood::Down => return said(503, 503),
        Mood::Unauthorized => return said(401, 40_101),
        Mood::Limited(seconds) => {
            return ([("retry-after", seconds.to_string())], said(429, 42_901)).into_response();
        }
        Mood::Broken => return said(500, 50_000),
        Mood::Garbage => return "\u{1}{{{ not json".into_response(),
    }
    let url = Url::parse("http://x").unwrap().join(&uri.to_string()).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let decoded = |part: &str| {
        let url = Url::parse(&format!("http://x/?{}", part.replace('+', "%2B"))).unwrap();
        url.query_pairs().next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    let mut parts: Vec<String> = url.path().split('/').skip(1).map(decoded).collect();
    // An address that leads into a context.
    let mut context = String::new();
    if parts.first().is_some_and(|part| part == "contexts") {
        context = format!(":{}:", parts[1].trim_matches(':'));
        parts.drain(..2);
    }
    let qualified = |name: &str| format!("{context}{name}");
    let within =
        |subject: &str| if context.is_empty() { !subject.starts_with(":.") } else { subject.starts_with(&context) };
    let deleted = query.get("deleted").is_some_and(|d| d == "true");
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["subjects"] if state.can.listing => {
            let live = |versions: &Vec<Version>| deleted || versions.iter().any(|v| !v.deleted);
            let all = state.subjects.iter().filter(|(subject, versions)| within(subject) && live(versions));
            json(&all.map(|(subject, _)| subject.clone()).collect::<Vec<_>>().into())
        }
        ["subjects"] => said(403, 40_301),
        ["subjects", subject, "versions"] => {
            let versions = state.subjects.get(&qualified(subject)).into_iter().flatten();
            let live: Vec<i32> = versions.filter(|v| deleted || !v.deleted).map(|v| v.version).collect();
            if live.is_empty() { said(404, 40_401) } else { json(&live.into()) }
        }
        ["subjects", subject, "versions", version] => {
            let subject = qualified(subject);
            let found = state.subjects.get(&subject).into_iter().flatten();
            let found = found.filter(|v| deleted || !v.deleted).find(|v| v.version.to_string() == version);
            found.map_or_else(|| said(404, 40_402), |v| json(&full(&subject, v, state.size)))
        }
        ["schemas", "ids", id] => {
            let mut all = state.subjects.iter().filter(|(s, _)| within(s)).flat_map(|(_, versions)| versions);
            match all.find(|v| v.id.to_string() == id) {
                Some(v) => json(&described(v, state.size)),
                None => said(404, 40_403),
            }
        }
        ["schemas"] => match state.can.bulk {
            Bulk::Works => {
                let hidden = if state.late > 0 { state.subjects.pop_last() } else { None };
                state.late = state.late.saturating_sub(1);
                let answer = schemas(state, &within, &query, headers);
                state.subjects.extend(hidden);
                answer
            }
            Bulk::Empty => json(&json!([])),
            Bulk::Status(status) => said(status, i64::from(status)),
            Bulk::Garbage => json(&json!({ "subjects": 7 })),
        },
        ["schemas", "ids", id, "versions"] => {
            let all = state.subjects.iter().filter(|(s, _)| within(s)).flat_map(|(s, v)| v.iter().map(move |v| (s, v)));
            let of = all.filter(|(_, v)| v.id.to_string() == id);
            let of: Vec<Value> = of.map(|(s, v)| json!({ "subject": s, "version": v.version })).collect();
            if of.is_empty() { said(404, 40_403) } else { json(&of.into()) }
        }
        ["config"] => json(&state.config[""]),
        ["config", subject] => {
            let to_global = query.get("defaultToGlobal").is_some_and(|d| d == "true" && state.can.to_global);
            let own = state.config.get(subject).or_else(|| state.config.get("").filter(|_| to_global));
            own.map_or_else(|| said(404, 40_408), json)
        }
        ["mode"] if state.can.modes => json(&json!({ "mode": state.mode })),
        ["mode", _] if state.can.modes => said(404, 40_409),
        ["mode", _] => status_of(204, &Value::Null),
        _ => said(404, 404),
    }
}

/// `GET /schemas`.
fn schemas(
    state: &State,
    within: &dyn Fn(&str) -> bool,
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Response {
    let asked = |name: &str, heeded: bool| query.get(name).filter(|_| heeded);
    let number = |name: &str| asked(name, state.can.pages).map(|n| n.parse::<usize>().unwrap());
    let latest = asked("latestOnly", state.can.latest_only).is_some_and(|l| l == "true");
    let prefix = asked("subjectPrefix", state.can.prefix).cloned().unwrap_or_default();
    let mut all = Vec::new();
    for (subject, versions) in state.subjects.iter().filter(|(subject, _)| within(subject)) {
        // Within a context the prefix is that of the name.
        let name = subject.rsplit(':').next().unwrap();
        let live = versions.iter().filter(|v| !v.deleted && name.starts_with(&prefix));
        let skipped = if latest { live.clone().count().saturating_sub(1) } else { 0 };
        all.extend(live.skip(skipped).map(|v| (subject, v)));
    }
    let size = number("limit").unwrap_or(usize::MAX).min(state.can.page);
    let page: Vec<_> = all.into_iter().skip(number("offset").unwrap_or(0)).take(size).collect();
    let named: String = page.iter().map(|(_, v)| v.id.to_string() + ".").collect();
    let etag = format!("\"{named}\"");
    if state.can.etags && headers.get("if-none-match").is_some_and(|known| known.to_str().unwrap() == etag) {
        return status_of(304, &Value::Null);
    }
    let page: Vec<Value> = page.into_iter().map(|(subject, v)| full(subject, v, state.size)).collect();
    match state.can.etags {
        true => ([("etag", etag)], json(&page.into())).into_response(),
        false => json(&page.into()),
    }
}

fn full(subject: &str, v: &Version, size: usize) -> Value {
    let mut all = described(v, size);
    let Value::Object(named) = json!({ "subject": subject, "version": v.version, "id": v.id, "deleted": v.deleted })
    else {
        unreachable!()
    };
    all.as_object_mut().unwrap().extend(named);
    all
}

fn described(v: &Version, size: usize) -> Value {
    v.schema.clone().unwrap_or_else(|| json!({ "schema": text(v.id, size) }))
}

fn text(id: u32, size: usize) -> String {
    format!(r#"{{"type":"string","doc":"{id:>size$}"}}"#)
}

fn json(value: &Value) -> Response {
    status_of(200, value)
}

fn status_of(status: u16, value: &Value) -> Response {
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    let body = if value.is_null() { String::new() } else { value.to_string() };
    (status, [("content-type", "application/json")], body).into_response()
}
