//! Checksums of bytes, written as S3 writes its additional checksums: base64 of the digest, the most
//! significant byte first.
//!
//! `{"content": "aGVsbG8=", "algorithms": ["crc32c"]}` -> `{"size": 5, "crc32c": "mnG7TA=="}`

mod checksums;
mod logs;

use std::time::Instant;

use checksums::InvalidInput;
use lambda_runtime::{run, service_fn, Diagnostic, Error, LambdaEvent};
use serde_json::{json, Value};

/// The error's type in Lambda's answer.
impl From<InvalidInput> for Diagnostic {
    fn from(refused: InvalidInput) -> Self {
        Diagnostic {
            error_type: "InvalidInput".to_owned(),
            error_message: refused.0.to_owned(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handler)).await
}

async fn handler(event: LambdaEvent<Value>) -> Result<Value, InvalidInput> {
    let invocation = logs::begin(&event);
    if event.payload.get("warming") == Some(&Value::Bool(true)) {
        return Ok(json!({ "warmed": true }));
    }
    let started = Instant::now();
    match checksums::of(&event.payload) {
        Ok(answer) => {
            let milliseconds = (started.elapsed().as_micros() as f64 / 100.0).round() / 10.0;
            let fields = json!({ "size": answer["size"], "milliseconds": milliseconds });
            logs::write("INFO", "checksums computed", &invocation, fields);
            Ok(answer)
        }
        Err(refused) => {
            let fields = json!({ "reason": refused.0 });
            logs::write("WARN", "input refused", &invocation, fields);
            Err(refused)
        }
    }
}
