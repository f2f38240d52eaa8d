use super::*;

#[derive(serde::Deserialize)]
struct Unit {
    values: Vec<Vector>,
}

#[derive(serde::Deserialize)]
struct Vector {
    key: String,
    iv: String,
    aad: String,
    r#type: String,
    bytes: String,
    enc: String,
}

#[test]
fn values_are_encrypted_to_the_same_bytes_as_by_other_implementations() {
    let unit: Unit =
        serde_json::from_str(include_str!("../../../tests/vectors/unit/unit.json")).unwrap();
    assert!(unit.values.len() > 10);
    for vector in unit.values {
        let key = DataKey::from_slice(&hex::decode(&vector.key).unwrap()).unwrap();
        let iv = hex::decode(&vector.iv).unwrap();
        let value_type = ValueType::parse(&vector.r#type).unwrap();
        let opened = Ciphertext::parse(&vector.enc)
            .unwrap()
            .open(&key, &vector.aad)
            .unwrap();
        assert_eq!(opened.as_slice(), vector.bytes.as_bytes());
        let content = (value_type, vector.bytes.as_bytes());
        let text = encrypt_with_iv(&key, &iv.try_into().unwrap(), &vector.aad, content).unwrap();
        assert_eq!(text, vector.enc);
    }
}

#[test]
fn text_after_the_bracket_is_ignored_and_broken_fields_are_refused() {
    let key = DataKey::random();
    let text = encrypt(&key, "a:", ValueType::Str, b"x").unwrap();
    let open = |text: &str| Ciphertext::parse(text).map(|c| c.open(&key, "a:").is_ok());
    assert_eq!(open(&format!("{text} tail")), Ok(true));
    assert_eq!(
        open(&text.replace("type:str", "type:strange")),
        Err(CipherError::UnknownType)
    );
    for broken in [
        "",
        "ENC[",
        "ENC[AES256_GCM,data:,iv:AA==,tag:AA==,type:str]",
    ] {
        assert_eq!(open(broken), Err(CipherError::Malformed), "{broken}");
    }
    let elsewhere = Ciphertext::parse(&text).unwrap().open(&key, "b:");
    assert_eq!(elsewhere.err(), Some(CipherError::NotAuthentic));
}
