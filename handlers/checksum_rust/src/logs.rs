//! Structured logs: one JSON object per line on standard output, in the shape of common/logs.py.

use std::env;

use chrono::{SecondsFormat, Utc};
use serde_json::{json, Value};

const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// Writes a line whose level LOG_LEVEL lets through; `fields` is a JSON object.
pub fn write(level: &str, message: &str, request_id: &str, fields: Value) {
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
        "requestId": request_id,
    });
    for (name, value) in fields.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    println!("{line}");
}

fn rank(level: &str) -> Option<usize> {
    LEVELS.iter().position(|known| *known == level)
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
