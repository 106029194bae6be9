//! Structured logs: one JSON object per line on standard output, in the shape of common/logs.py.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{SecondsFormat, Utc};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{json, Value};

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

static COLD: AtomicBool = AtomicBool::new(true); // until the first invocation has begun

/// What all lines of an invocation carry: a JSON object.
pub struct Invocation(Value);

/// Starts an invocation. Its correlation id is the event's `correlationId`, else the request id.
pub fn begin(event: &LambdaEvent<Value>) -> Invocation {
    let Context {
        request_id,
        xray_trace_id,
        ..
    } = &event.context;
    let given = event.payload.get("correlationId").and_then(Value::as_str);
    let mut members = json!({
        "requestId": request_id,
        "correlation_id": given.filter(|given| is_valid(given)).unwrap_or(request_id),
    });
    if let Some(root) = xray_trace_id.as_deref().and_then(root) {
        members["xray_trace_id"] = root.into();
    }
    members["cold_start"] = COLD.swap(false, Ordering::Relaxed).into();
    Invocation(members)
}

/// Whether a correlation id is 1 to 128 of A-Z a-z 0-9 . _ : = -
fn is_valid(given: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:=-".contains(c);
    (1..=128).contains(&given.len()) && given.chars().all(allowed)
}

/// The trace's id in a trace header: `1-`, 8 digits, `-`, 24 digits.
fn root(header: &str) -> Option<&str> {
    let root = header
        .split(';')
        .find_map(|part| part.strip_prefix("Root="))?;
    let (time, rest) = root.strip_prefix("1-")?.split_once('-')?;
    let is_hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    (time.len() == 8 && rest.len() == 24 && is_hex(time) && is_hex(rest)).then_some(root)
}

/// Writes a line whose level LOG_LEVEL lets through; `fields` is a JSON object.
pub fn write(level: &str, message: &str, invocation: &Invocation, fields: Value) {
    let wanted = rank(&variable("LOG_LEVEL", "INFO").to_uppercase()).or(rank("INFO"));
    if rank(level) < wanted {
        return;
    }
    let mut line = json!({
        "timestamp": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "level": level,
        "message": message,
        "service": variable("SERVICE_NAME", "sandpiper"),
        "function": variable("AWS_LAMBDA_FUNCTION_NAME", ""),
        "version": variable("AWS_LAMBDA_FUNCTION_VERSION", ""),
    });
    for members in [&invocation.0, &fields] {
        for (name, value) in members.as_object().into_iter().flatten() {
            line[name] = value.clone();
        }
    }
    println!("{line}");
}

fn rank(level: &str) -> Option<usize> {
    LEVELS.iter().position(|known| *known == level)
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
