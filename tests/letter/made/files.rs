//! Comparison files: what is refused, and with which words.

use super::*;

fn errors(name: &str, text: &str) -> Vec<String> {
    sources::parse(Path::new(name), text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn valid_json() -> serde_json::Value {
    serde_json::to_value(sample("brook-vs-steno-9")).unwrap()
}

fn broken(change: impl FnOnce(&mut serde_json::Value)) -> Vec<String> {
    let mut value = valid_json();
    change(&mut value);
    errors("a.json", &serde_json::to_string_pretty(&value).unwrap())
}

#[test]
fn a_comparison_file_is_refused_by_line_field_and_remedy() {
    let mut all = Vec::new();
    all.extend(errors("a.json", "{\n  \"slug\": 3"));
    all.extend(errors("a.json", "{\n  \"slug\": \"x\"\n  \"title\""));
    all.extend(errors("a.toml", "slug = \"x\"\ntitle = \n"));
    all.extend(errors("a.toml", "slug = \"x\"\ntitle = 3\n"));
    all.extend(broken(|v| v["tools"].as_array_mut().unwrap().truncate(1)));
    all.extend(broken(|v| {
        let third = v["tools"][0].clone();
        v["tools"].as_array_mut().unwrap().push(third);
    }));
    all.extend(broken(|v| v["tools"][1] = v["tools"][0].clone()));
    all.extend(broken(|v| v["titel"] = "x".into()));
    all.extend(broken(|v| v["slug"] = "Not A Slug".into()));
    all.extend(broken(|v| v["tools"][1]["reviews"][2]["verdict"] = "maybe".into()));
    all.extend(broken(|v| v["tools"][1]["reviews"][2]["reviewer"] = "Builder".into()));
    all.extend(broken(|v| v["tools"][0]["name"] = "two\nlines".into()));
    all.extend(broken(|v| v["tools"][0]["reviews"][0]["quote"] = "x".repeat(5001).into()));
    all.extend(broken(|v| v["published_at"] = "yesterday".into()));
    for url in [
        "/compare/x",
        "http://verdicts.example/x",
        "javascript:alert(1)",
        "https://u:p@x.example/",
        "https://x.example/\" x",
    ] {
        all.extend(broken(|v| v["url"] = url.into()));
    }
    insta::assert_snapshot!("source_errors", all.join("\n"));
    assert!(broken(|v| v["url"] = "http://127.0.0.1:8080/compare/x".into()).is_empty());
}

#[test]
fn toml_takes_a_date_or_a_text_and_says_the_same_as_json() {
    let toml = samples::files().find(|(name, _)| name == "quarry-vs-atlas-index.toml").unwrap().1;
    let native = sources::parse(Path::new("a.toml"), &toml).unwrap();
    let quoted =
        toml.replace("published_at = 2026-11-14T10:15:00Z", "published_at = \"2026-11-14T10:15:00Z\"");
    assert_ne!(toml, quoted);
    assert_eq!(sources::parse(Path::new("a.toml"), &quoted).unwrap(), native);
    let json = serde_json::to_string(&native).unwrap();
    assert_eq!(sources::parse(Path::new("a.json"), &format!("\u{FEFF}{json}")).unwrap(), native);
    let wrong = toml.replace("name = \"Atlas Index\"", "name = \"\"");
    assert_eq!(errors("a.toml", &wrong).len(), 1);
    assert!(
        errors("a.toml", &wrong)[0].contains("tools[1].name: is empty"),
        "{:?}",
        errors("a.toml", &wrong)
    );
}

#[test]
fn folders_are_read_in_order_and_a_slug_is_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let json = serde_json::to_string(&valid_json()).unwrap();
    for name in ["b.json", "a.json", "notes.md"] {
        std::fs::write(folder.path().join(name), &json).unwrap();
    }
    std::fs::write(folder.path().join("c.json"), [0xFF, 0xFE]).unwrap();
    std::fs::write(folder.path().join("d.json"), vec![b' '; 1024 * 1024 + 1]).unwrap();
    let read = sources::read(&[folder.path().to_owned(), folder.path().join("missing.json")]);
    assert_eq!(read.good.len(), 1);
    assert!(read.good[0].0.ends_with("a.json"));
    let told: Vec<String> = read.bad.iter().map(ToString::to_string).collect();
    for (line, needle) in told.iter().zip(["missing.json", "also the slug", "not UTF-8", "larger than 1 MiB"])
    {
        assert!(line.contains(needle), "{line}");
    }
    assert_eq!(told.len(), 4);
}

#[test]
fn the_schema_names_every_field_and_its_limits() {
    let schema = sources::schema();
    for field in ["slug", "title", "question", "published_at", "url", "tools"] {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
    assert_eq!(schema["properties"]["slug"]["maxLength"], 120);
    assert!(schema["properties"]["slug"]["pattern"].is_string());
    assert_eq!(schema["$defs"]["Review"]["properties"]["quote"]["maxLength"], 5000);
    assert_eq!(schema["properties"]["tools"]["minItems"], 2);
    assert_eq!(schema["properties"]["tools"]["maxItems"], 2);
}
