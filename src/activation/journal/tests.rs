use super::record::encode;
use super::*;
use crate::activation::{Plan, Way};
use crate::generation::GenerationNumber;
use crate::host::clock;

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn record() -> Record {
    Record::new(
        7,
        GenerationNumber(2),
        Some(GenerationNumber(1)),
        Plan::default(),
    )
}

fn step(index: usize) -> Entry {
    Entry::StepBegun {
        way: Way::Forward,
        index,
    }
}

#[test]
fn what_was_written_is_read_back_until_the_transaction_is_closed() {
    let (_directory, store) = store();
    assert!(Journal::open(&store).unwrap().is_none());
    let mut journal = Journal::create(&store, record()).unwrap();
    journal.enter(Phase::Applying).unwrap();
    journal.write(&step(0), Durability::Written).unwrap();
    drop(journal);

    let (journal, entries) = Journal::open(&store).unwrap().unwrap();
    assert_eq!(journal.phase(), &Phase::Applying);
    assert_eq!(journal.record.target, GenerationNumber(2));
    assert!(matches!(entries[0], Entry::Begun { .. }));
    assert_eq!(
        entries[1..],
        [
            Entry::Phase(Phase::Prepared),
            Entry::Phase(Phase::Applying),
            step(0)
        ]
    );
    journal.close().unwrap();
    assert!(Journal::open(&store).unwrap().is_none());
}

/// A journal of three lines, and the places where they begin and end.
fn three_lines() -> (tempfile::TempDir, Store, PathBuf, Vec<usize>) {
    let (directory, store) = store();
    let mut journal = Journal::create(&store, record()).unwrap();
    journal.enter(Phase::Applying).unwrap();
    drop(journal);
    let path = directory.path().join("transactions/00000001/journal");
    let text = fs::read(&path).unwrap();
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let places: Vec<usize> = std::iter::once(0)
        .chain(ends.map(|(at, _)| at + 1))
        .collect();
    assert_eq!(places.len(), 4);
    (directory, store, path, places)
}

#[test]
fn a_torn_tail_is_cut_off_and_written_over_wherever_it_was_torn() {
    let (_directory, store, path, places) = three_lines();
    let whole = fs::read(&path).unwrap();
    for cut in places[2]..places[3] {
        durable::replace(&path, &whole[..cut], private()).unwrap();
        let (mut journal, entries) = Journal::open(&store).unwrap().unwrap();
        assert_eq!(
            entries[1..],
            [Entry::Phase(Phase::Prepared)],
            "cut at {cut}"
        );
        journal.write(&step(3), Durability::Synced).unwrap();
        drop(journal);
        let (_, entries) = Journal::open(&store).unwrap().unwrap();
        assert_eq!(
            entries[1..],
            [Entry::Phase(Phase::Prepared), step(3)],
            "cut at {cut}"
        );
    }
}

#[test]
fn a_last_line_with_any_bit_wrong_is_a_torn_one() {
    let (_directory, store, path, places) = three_lines();
    let whole = fs::read(&path).unwrap();
    for at in places[2]..places[3] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        durable::replace(&path, &flipped, private()).unwrap();
        let (journal, _) = Journal::open(&store).unwrap().unwrap();
        assert_eq!(journal.phase(), &Phase::Prepared, "flipped at {at}");
    }
}

#[test]
fn a_damaged_line_before_whole_ones_is_damage_and_nothing_is_cut_off() {
    let (_directory, store, path, places) = three_lines();
    let whole = fs::read(&path).unwrap();
    // The break before the last line as well, which makes one line of two.
    for at in 0..places[2] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        durable::replace(&path, &flipped, private()).unwrap();
        let error = Journal::open(&store).unwrap_err();
        assert!(error.is_damage(), "flipped at {at}: {error}");
        assert_eq!(fs::read(&path).unwrap(), flipped);
    }
    for gone in [
        &whole[..0],
        &whole[places[1]..places[2]],
        &whole[places[2]..],
    ] {
        durable::replace(&path, gone, private()).unwrap();
        assert!(open_phase(&store).unwrap_err().is_damage());
    }
}

#[test]
fn a_power_cut_may_lose_a_line_that_was_not_synced_and_keep_those_after_it() {
    let (_directory, store, path, places) = three_lines();
    let (mut journal, _) = Journal::open(&store).unwrap().unwrap();
    journal.write(&step(0), Durability::Written).unwrap();
    journal.write(&step(1), Durability::Written).unwrap();
    drop(journal);
    let mut text = fs::read(&path).unwrap();
    text[places[3]..places[3] + 20].fill(0);
    durable::replace(&path, &text, private()).unwrap();
    let (journal, entries) = Journal::open(&store).unwrap().unwrap();
    assert_eq!(journal.phase(), &Phase::Applying);
    assert_eq!(entries.len(), 3);
}

#[test]
fn a_plan_that_is_not_the_one_that_was_begun_is_damage() {
    let (directory, store) = store();
    drop(Journal::create(&store, record()).unwrap());
    let path = directory.path().join("transactions/00000001/plan.json");
    let text = fs::read_to_string(&path).unwrap();
    let other = text.replace("\"target\": 2", "\"target\": 3");
    assert_ne!(other, text);
    durable::replace(&path, other.as_bytes(), private()).unwrap();
    let error = Journal::open(&store).unwrap_err();
    assert!(error.is_damage() && error.hint().is_some(), "{error}");
}

#[test]
fn what_is_warned_of_is_in_the_next_line_and_no_other() {
    let (_directory, store) = store();
    let mut journal = Journal::create(&store, record()).unwrap();
    let notice = Notice {
        subject: "/etc/app.conf".to_owned(),
        text: "line 3 is ignored".to_owned(),
    };
    journal.warn(std::slice::from_ref(&notice));
    journal.enter(Phase::Applying).unwrap();
    journal.write(&step(0), Durability::Written).unwrap();
    let past = past(&store, None).unwrap().remove(0);
    let warned: Vec<_> = past.lines.iter().map(|line| &line.warnings[..]).collect();
    assert_eq!(warned, [&[][..], &[], &[notice], &[]]);
}

#[test]
fn a_journal_of_a_version_that_did_not_count_its_lines_is_read() {
    let (_directory, store, path, _) = three_lines();
    let old = concat!(
        "38e114d3045a0f91 {\"at_secs\":7,\"entry\":\"phase\",\"phase\":\"prepared\"}\n",
        "ad59bdc04026b5dd {\"at_secs\":7,\"entry\":\"phase\",\"phase\":\"applying\"}\n",
    );
    durable::replace(&path, old.as_bytes(), private()).unwrap();
    let (journal, _) = Journal::open(&store).unwrap().unwrap();
    assert_eq!(journal.phase(), &Phase::Applying);
}

#[test]
fn lines_are_counted_on_and_say_in_which_boot_they_were_written() {
    let (_directory, store, _, _) = three_lines();
    let (mut journal, _) = Journal::open(&store).unwrap().unwrap();
    journal.write(&step(0), Durability::Written).unwrap();
    let lines = &past(&store, None).unwrap()[0].lines;
    let seqs: Vec<u64> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(seqs, [0, 1, 2, 3]);
    assert!(lines.iter().all(|line| line.boot == clock::boot_id()));
}

#[test]
fn a_boot_is_seen_by_what_another_one_wrote_down_and_by_what_is_said_of_it() {
    let (_directory, store, _, _) = three_lines();
    let (journal, _) = Journal::open(&store).unwrap().unwrap();
    assert!(!journal.has_seen_a_boot());
    let path = journal.directory.join(JOURNAL);
    drop(journal);
    let decoded = decode(&fs::read(&path).unwrap());
    let mut lines = decoded.lines;
    lines[1].boot = Some("another".to_owned());
    let text: String = lines.iter().map(encode).collect();
    durable::replace(&path, text.as_bytes(), private()).unwrap();
    let (journal, _) = Journal::open(&store).unwrap().unwrap();
    assert!(journal.has_seen_a_boot());
    journal.close().unwrap();

    drop(Journal::create(&store, record().done_before_boot()).unwrap());
    let (journal, _) = Journal::open(&store).unwrap().unwrap();
    assert!(journal.has_seen_a_boot(), "a trial that is left");
}

#[test]
fn what_a_kill_left_before_there_was_a_plan_is_no_transaction_and_goes() {
    let (directory, store) = store();
    let half = directory.path().join("transactions/00000001");
    make_directory(&half).unwrap();
    assert_eq!(past(&store, None).unwrap(), []);
    let journal = Journal::create(&store, record()).unwrap();
    assert_eq!(journal.record.id.to_string(), "00000002");
    assert!(!half.exists());
}

#[test]
fn room_for_the_way_back_is_kept_until_it_is_gone() {
    let (directory, store) = store();
    let reserve = directory.path().join("transactions/reserve");
    let journal = Journal::create(&store, record()).unwrap();
    assert!(reserve.exists());
    journal.release_reserve();
    assert!(!reserve.exists());
    journal.close().unwrap();
    Journal::create(&store, record()).unwrap().close().unwrap();
    assert!(reserve.exists());
}

#[test]
fn a_plan_of_an_unknown_version_is_refused_and_left_alone() {
    let (directory, store) = store();
    drop(Journal::create(&store, record()).unwrap());
    let path = directory.path().join("transactions/00000001/plan.json");
    let text = fs::read_to_string(&path).unwrap();
    let newer = text.replace("\"version\": 1", "\"version\": 99");
    durable::replace(&path, newer.as_bytes(), private()).unwrap();
    let error = Journal::open(&store).unwrap_err();
    assert!(error.to_string().contains("version 99"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn only_the_newest_transactions_are_kept() {
    let (directory, store) = store();
    for _ in 0..KEEP + 3 {
        Journal::create(&store, record()).unwrap().close().unwrap();
    }
    let left = ids(&directory.path().join(DIRECTORY)).unwrap();
    assert_eq!(left.len(), KEEP);
    assert_eq!(left.into_iter().max().unwrap().to_string(), "00000023");
}

#[test]
fn transactions_are_read_back_with_their_times_and_which_of_them_is_open() {
    let (_directory, store) = store();
    assert_eq!(past(&store, None).unwrap(), []);
    let mut first = Journal::create(&store, record()).unwrap();
    first.enter(Phase::Applying).unwrap();
    first.write(&step(0), Durability::Written).unwrap();
    first.enter(Phase::Committed).unwrap();
    first.close().unwrap();
    let second = Journal::create(&store, record()).unwrap();

    let all = past(&store, None).unwrap();
    let phases: Vec<_> = all.iter().map(|past| (past.phase(), past.open)).collect();
    assert_eq!(
        phases,
        [(&Phase::Committed, false), (&Phase::Prepared, true)]
    );
    assert_eq!(all[0].lines.len(), 5);
    assert!(all[0].lines.iter().all(|line| line.at_secs > 1_700_000_000));
    assert_eq!(past(&store, Some(second.record.id)).unwrap(), all[1..]);
    let nobody = "77".parse().unwrap();
    assert_eq!(past(&store, Some(nobody)).unwrap(), []);
}
