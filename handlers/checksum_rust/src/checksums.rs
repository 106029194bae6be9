//! What the function computes, apart from Lambda.

use base64::prelude::{Engine, BASE64_STANDARD};
use crc::{Crc, CRC_32_ISCSI};
use serde_json::{json, Value};
use sha2::{Digest, Sha256, Sha512};

const ALGORITHMS: [&str; 3] = ["sha256", "sha512", "crc32c"];
static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Says which part of the event is wrong, and repeats nothing of it.
#[derive(Debug, PartialEq)]
pub struct InvalidInput(pub &'static str);

/// `size`, in bytes, and one member per algorithm asked for; all when the event names none.
pub fn of(event: &Value) -> Result<Value, InvalidInput> {
    if !event.is_object() {
        return Err(InvalidInput("the event must be a JSON object"));
    }
    let content = decoded(event.get("content"))?;
    let names = named(event.get("algorithms"))?;
    let mut answer = json!({ "size": content.len() });
    for name in names {
        answer[name] = json!(BASE64_STANDARD.encode(digest(name, &content)));
    }
    Ok(answer)
}

fn decoded(content: Option<&Value>) -> Result<Vec<u8>, InvalidInput> {
    content
        .and_then(Value::as_str)
        .and_then(|text| BASE64_STANDARD.decode(text).ok())
        .ok_or(InvalidInput("content: must be base64 text"))
}

fn named(names: Option<&Value>) -> Result<Vec<&'static str>, InvalidInput> {
    const REFUSED: InvalidInput =
        InvalidInput("algorithms: must be a list of sha256, sha512 or crc32c");
    let Some(names) = names else {
        return Ok(ALGORITHMS.to_vec());
    };
    let names = names
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or(REFUSED)?;
    let known = |name: &Value| ALGORITHMS.into_iter().find(|known| name == known);
    names
        .iter()
        .map(|name| known(name).ok_or(REFUSED))
        .collect()
}

fn digest(name: &str, content: &[u8]) -> Vec<u8> {
    match name {
        "sha256" => Sha256::digest(content).to_vec(),
        "sha512" => Sha512::digest(content).to_vec(),
        _ => CRC32C.checksum(content).to_be_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_is_answered_as_in_every_other_runtime() {
        let text = include_str!("../../../tests/events/checksum_vectors.json");
        let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
        for vector in vectors
            .iter()
            .filter(|vector| vector["name"] != "a warming event")
        {
            match of(&vector["event"]) {
                Ok(answer) => assert_eq!(answer, vector["answer"], "{}", vector["name"]),
                Err(refused) => assert_eq!(refused.0, vector["error"], "{}", vector["name"]),
            }
        }
    }
}
