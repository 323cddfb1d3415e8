use super::*;
use crate::export::parameters::Level;

fn parameters() -> Parameters {
    Parameters::new("https://h/r4", Level::System, &[], None, &[]).expect("parameters")
}

fn finished(dir: &ExportDir) -> State {
    let manifest = manifest::parse(
        br#"{"transactionTime":"2026-01-15T09:00:00.000Z","output":[{"type":"Patient","url":"https://h/secret"}]}"#,
    )
    .expect("a manifest");
    let mut state = State::new(parameters(), None);
    state.members = manifest.members;
    state.files = manifest.files.into_iter().map(|(file, _)| file).collect();
    state.complete = true;
    std::fs::write(dir.file("Patient.1.ndjson"), "{}\n").expect("write");
    dir.save(&state).expect("save");
    state
}

#[test]
fn refuses_a_directory_with_other_files_and_a_second_process() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("thesis.doc"), "x").expect("write");
    let error = ExportDir::open(home.path()).err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::Usage);
    let new = home.path().join("new");
    let first = ExportDir::open(&new).expect("open");
    assert_eq!(ExportDir::open(&new).err().expect("locked").kind(), ErrorKind::LockTimeout);
    drop(first);
    assert!(ExportDir::open(&new).is_ok());
}

#[test]
fn archives_a_finished_export_and_continues_after_an_interruption() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    let state = finished(&dir);
    let archived = dir.file("2026-01-15T09-00-00.000Z");
    // Interrupted after the state was saved, before anything was moved.
    dir.save(&State { archiving: Some("2026-01-15T09-00-00.000Z".into()), ..state.clone() }).expect("save");
    assert_eq!(dir.load().expect("load"), None);
    assert!(archived.join("Patient.1.ndjson").exists() && archived.join("export.json").exists());
    assert!(!dir.file("Patient.1.ndjson").exists());
    let state = finished(&dir);
    dir.archive(state).expect("archive");
    assert_eq!(dir.load().expect("load"), None);
}

/// A server that updates its data once a day gives each export of a day the same `transactionTime`.
#[test]
fn exports_of_the_same_instant_are_archived_beside_each_other() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    for content in ["first\n", "second\n"] {
        let state = finished(&dir);
        std::fs::write(dir.file("Patient.1.ndjson"), content).expect("write");
        dir.archive(state).expect("archive");
    }
    for (name, content) in
        [("2026-01-15T09-00-00.000Z", "first\n"), ("2026-01-15T09-00-00.000Z.2", "second\n")]
    {
        let file = dir.file(name).join("Patient.1.ndjson");
        assert_eq!(std::fs::read_to_string(file).expect("a file"), content);
    }
}

#[test]
fn clear_removes_files_of_exports_only() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    finished(&dir);
    let others = ["cohort.ndjson", "Patient.x.ndjson", "a.Patient.1.ndjson", "Patient.1.ndjson.gz"];
    let own = ["error.OperationOutcome.1.ndjson", "deleted.Bundle.12.ndjson", "Coverage.3.ndjson.part"];
    for name in others.iter().chain(&own) {
        std::fs::write(dir.file(name), "x").expect("write");
    }
    dir.clear().expect("clear");
    let entries = std::fs::read_dir(dir.path()).expect("a directory");
    let mut left: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    let mut expected = [LOCK_FILE].iter().chain(&others).copied().collect::<Vec<_>>();
    expected.sort_unstable();
    assert_eq!(left, expected);
}

#[test]
fn state_holds_no_url_and_a_damaged_one_is_reported() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    finished(&dir);
    let text = std::fs::read_to_string(dir.file(STATE_FILE)).expect("read");
    assert!(!text.contains("secret"), "{text}");
    assert!(dir.load().expect("load").is_some_and(|state| state.complete));
    std::fs::write(dir.file(STATE_FILE), &text[..text.len() / 2]).expect("write");
    assert!(dir.load().expect_err("damaged").to_string().contains("--restart"));
}

#[test]
fn journal_leaves_export_json_alone_until_it_is_loaded() {
    const FILES: usize = 200;
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    let mut state = finished(&dir);
    let file = state.files[0].clone();
    state.files = (0..FILES).map(|n| ExportFile { name: format!("{n}.ndjson"), ..file.clone() }).collect();
    dir.save(&state).expect("save");
    let saved = std::fs::read(dir.file(STATE_FILE)).expect("read");
    for (index, file) in state.files.iter_mut().enumerate() {
        file.etag = Some(format!("\"{index}\""));
        dir.journal.append(index, file).expect("record");
    }
    assert!(std::fs::read(dir.file(STATE_FILE)).expect("read") == saved);
    let journal = std::fs::metadata(dir.file(JOURNAL_FILE)).expect("a journal").len();
    assert!(journal < 100 * FILES as u64, "{journal} bytes");
    assert!(dir.load().expect("load") == Some(state));
    assert!(!dir.file(JOURNAL_FILE).exists());
}

#[test]
fn journal_ignores_a_torn_line_and_lines_of_another_manifest() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = ExportDir::open(&home.path().join("x")).expect("open");
    let state = finished(&dir);
    std::fs::write(
        dir.file(JOURNAL_FILE),
        "{\"index\":0,\"name\":\"Coverage.1.ndjson\",\"etag\":\"a\"}\n{\"index\":7,\"name\":\"x\"}\n\
         {\"index\":0,\"name\":\"Patient.1.ndjson\",\"etag\":\"b\"}\n{\"index\":0,\"name\":\"Pat",
    )
    .expect("write");
    let mut expected = state;
    expected.files[0].etag = Some("b".into());
    assert_eq!(dir.load().expect("load"), Some(expected));
}
