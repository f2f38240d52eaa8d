use super::*;
use crate::activation::{Plan, Way};
use crate::generation::GenerationNumber;

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
    assert_eq!(
        entries,
        [
            Entry::Phase(Phase::Prepared),
            Entry::Phase(Phase::Applying),
            step(0)
        ]
    );
    journal.close().unwrap();
    assert!(Journal::open(&store).unwrap().is_none());
}

#[test]
fn a_torn_tail_is_cut_off_and_written_over_wherever_it_was_torn() {
    let (directory, store) = store();
    let mut journal = Journal::create(&store, record()).unwrap();
    journal.enter(Phase::Applying).unwrap();
    drop(journal);
    let path = directory.path().join("transactions/00000001/journal");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in first..whole.len() {
        durable::replace(&path, &whole[..cut], private()).unwrap();
        let (mut journal, entries) = Journal::open(&store).unwrap().unwrap();
        assert_eq!(entries, [Entry::Phase(Phase::Prepared)], "cut at {cut}");
        journal.write(&step(3), Durability::Synced).unwrap();
        drop(journal);
        let (_, entries) = Journal::open(&store).unwrap().unwrap();
        assert_eq!(
            entries,
            [Entry::Phase(Phase::Prepared), step(3)],
            "cut at {cut}"
        );
    }
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
    assert_eq!(all[0].lines.len(), 4);
    assert!(all[0].lines.iter().all(|line| line.at_secs > 1_700_000_000));
    assert_eq!(past(&store, Some(second.record.id)).unwrap(), all[1..]);
    let nobody = "77".parse().unwrap();
    assert_eq!(past(&store, Some(nobody)).unwrap(), []);
}
