//! A damaged journal: either all that was acknowledged is there, or the opening is refused.

use suppressd_core::store::EvidenceStore as _;
use suppressd_core::store::embedded::EmbeddedStore;
use suppressd_core::{Error, Record};
use tempfile::TempDir;

use super::embedded_crash::{Crashed, JOURNAL, MARK, addresses, files_under, write_journal};
use super::{block_on, in_directory};

/// The journal that comes after the first.
const NEXT_JOURNAL: &str = "evidence/1.jnl";

/// Length of what stands before the first item of a commit.
const BEGINNING_BYTES: usize = 13;

/// Size of what a disk writes whole, in bytes.
const PAGE_BYTES: usize = 4096;

/// What there is when a store is opened, or why it is refused.
async fn opened(image: &TempDir) -> Result<Vec<Option<Record>>, Error> {
    EmbeddedStore::open(&in_directory(image.path()))?.records(&addresses()).await
}

/// How often either happened.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    whole: usize,
    refused: usize,
}

impl Seen {
    /// Opens a damaged store, which must be whole or refused.
    async fn see(&mut self, what: &str, crashed: &Crashed, image: &TempDir) {
        match opened(image).await {
            Ok(records) => {
                assert!(records == crashed.acknowledged, "{what}: opened with something else than was acknowledged");
                self.whole += 1;
            }
            Err(Error::StoreDamaged { reason }) => {
                assert!(reason.contains("restore"), "{what}: {reason}");
                self.refused += 1;
            }
            Err(other) => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        assert_eq!(opened(&crashed.image()).await, Ok(crashed.acknowledged));
    });
}

#[test]
fn a_journal_that_is_cut_short_is_refused() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let end = crashed.journal.len();
        let mut seen = Seen::default();
        let around_commits = crashed.commit_ends.iter().rev().step_by(41).flat_map(|end| [end - 1, *end, end + 1]);
        let within_commits = (0..end).step_by(end / 20);
        let cuts: Vec<_> = around_commits.chain(within_commits).filter(|cut| *cut < end).collect();
        for cut in &cuts {
            // As a lost tail of zeros, and as a file that ends there.
            let image = crashed.with_journal(&crashed.journal[..*cut]);
            seen.see(&format!("zeros from {cut} of {end}"), &crashed, &image).await;
            let image = crashed.image();
            std::fs::write(image.path().join(JOURNAL), &crashed.journal[..*cut]).unwrap();
            seen.see(&format!("cut at {cut} of {end}"), &crashed, &image).await;
        }
        assert_eq!(seen, Seen { whole: 0, refused: 2 * cuts.len() });
    });
}

#[test]
fn a_journal_with_other_bytes_within_is_refused() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let mut seen = Seen::default();
        let mut try_with = async |what: String, change: &dyn Fn(&mut Vec<u8>)| {
            let mut journal = crashed.journal.clone();
            change(&mut journal);
            seen.see(&what, &crashed, &crashed.with_journal(&journal)).await;
        };
        for place in (0..crashed.journal.len()).step_by(crashed.journal.len() / 45) {
            try_with(format!("flipped at {place}"), &|journal| journal[place] ^= 0xff).await;
            try_with(format!("one bit at {place}"), &|journal| journal[place] ^= 1 << (place % 8)).await;
        }
        for page in (0..crashed.journal.len() / PAGE_BYTES).step_by(4) {
            let page = page * PAGE_BYTES..(page + 1) * PAGE_BYTES;
            try_with(format!("zeros at {page:?}"), &|journal| journal[page.clone()].fill(0)).await;
        }
        // Some places tell nothing: a length that is written twice, the last bit of an order.
        assert!(seen.refused > 80 && seen.whole < 20, "{seen:?}");
    });
}

/// A commit begins with the number by which it is ordered. fjall's checksum leaves that out.
#[test]
fn a_commit_that_is_out_of_order_is_refused() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let mut seen = Seen::default();
        for ends in crashed.commit_ends.windows(2).step_by(90) {
            let begin = ends[0];
            for place in begin..begin + BEGINNING_BYTES {
                for change in [0x01, 0x80] {
                    let mut journal = crashed.journal.clone();
                    journal[place] ^= change;
                    let what = format!("{change:#x} at {begin} + {}", place - begin);
                    seen.see(&what, &crashed, &crashed.with_journal(&journal)).await;
                }
            }
        }
        assert!(seen.refused > 60 && seen.whole < 10, "{seen:?}");
    });
}

/// The last commit was never acknowledged: whatever is left of it is no damage.
#[test]
fn a_torn_last_commit_is_left_out() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let [.., begin, end] = crashed.commit_ends[..] else { panic!("there are commits") };
        assert!(end - begin > 4 * PAGE_BYTES, "it must have pages to tear");
        let mut torn: Vec<_> = (begin..end)
            .step_by((end - begin) / 25)
            .map(|cut| (format!("cut at {cut}"), crashed.journal[..cut].to_vec()))
            .collect();
        torn.push(("cut at its end".to_owned(), crashed.journal[..end - 1].to_vec()));
        // Pages reach the disk in any order.
        for page in begin / PAGE_BYTES..=(end - 1) / PAGE_BYTES {
            let mut journal = crashed.journal.clone();
            journal[(page * PAGE_BYTES).max(begin)..((page + 1) * PAGE_BYTES).min(end)].fill(0);
            torn.push((format!("page {page} is missing"), journal));
        }
        for (what, journal) in torn {
            let image = crashed.with_journal(&journal);
            std::fs::write(image.path().join(MARK), &crashed.mark_before_last).unwrap();
            let found = opened(&image).await;
            assert!(found.as_ref() == Ok(&crashed.before_last), "{what}: {:?}", found.err());
        }
        // It may also be whole, and only its answer missing.
        let image = crashed.image();
        std::fs::write(image.path().join(MARK), &crashed.mark_before_last).unwrap();
        assert_eq!(opened(&image).await, Ok(crashed.acknowledged));
    });
}

/// The mark is what tells a cut journal from a whole one: without it, less is found and nobody is told. Whoever removes it
/// accepts that.
#[test]
fn without_its_mark_a_cut_journal_opens_with_less() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let [.., cut, _] = crashed.commit_ends[..] else { panic!("there are commits") };
        let image = crashed.with_journal(&crashed.journal[..cut]);
        for _ in 0..2 {
            // However often it is tried.
            let Err(Error::StoreDamaged { reason }) = opened(&image).await else { panic!("it must be refused") };
            assert!(reason.contains(&format!("remove {}", image.path().join(MARK).display())), "{reason}");
        }
        std::fs::remove_file(image.path().join(MARK)).unwrap();
        assert_eq!(opened(&image).await.as_ref(), Ok(&crashed.before_last));
        assert_ne!(crashed.before_last, crashed.acknowledged);
    });
}

#[test]
fn a_mark_that_cannot_be_read_loses_nothing() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        for text in [&b""[..], b"00000", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b"0000000000000000000x\n"] {
            let image = crashed.image();
            std::fs::write(image.path().join(MARK), text).unwrap();
            assert_eq!(opened(&image).await.as_ref(), Ok(&crashed.acknowledged));
            // From then on there is one again.
            let cut = crashed.commit_ends[7];
            write_journal(&image.path().join(JOURNAL), &crashed.journal[..cut]);
            assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })));
        }
    });
}

#[test]
fn a_journal_that_is_gone_is_refused() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let image = crashed.image();
        std::fs::remove_file(image.path().join(JOURNAL)).unwrap();
        assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })));
        let image = crashed.image();
        std::fs::remove_dir_all(image.path().join("evidence")).unwrap();
        assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })));

        // A crash while one was sealed leaves two.
        for cut in [crashed.commit_ends[0], crashed.commit_ends[100]] {
            let in_two = || {
                let image = crashed.image();
                std::fs::write(image.path().join(JOURNAL), &crashed.journal[..cut]).unwrap();
                write_journal(&image.path().join(NEXT_JOURNAL), &crashed.journal[cut..]);
                image
            };
            assert_eq!(opened(&in_two()).await.as_ref(), Ok(&crashed.acknowledged));
            for gone in [JOURNAL, NEXT_JOURNAL] {
                let image = in_two();
                std::fs::remove_file(image.path().join(gone)).unwrap();
                assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })), "{gone}");
            }
            // A gap is no end, with or without the mark.
            let image = in_two();
            std::fs::remove_file(image.path().join(JOURNAL)).unwrap();
            std::fs::remove_file(image.path().join(MARK)).unwrap();
            assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })));
        }
    });
}

#[test]
fn a_refused_directory_can_be_restored_and_opened() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let image = crashed.with_journal(&crashed.journal[..100]);
        assert!(matches!(opened(&image).await, Err(Error::StoreDamaged { .. })));
        write_journal(&image.path().join(JOURNAL), &crashed.journal);
        assert_eq!(opened(&image).await, Ok(crashed.acknowledged));
    });
}

/// Every other file of the tree: gone, empty, cut in two, or with other bytes.
#[test]
fn any_other_damaged_file_is_whole_or_refused() {
    block_on(async {
        let crashed = Crashed::after_commits().await;
        let mut seen = Seen::default();
        let directory = crashed.image();
        for file in files_under(&directory.path().join("evidence")) {
            let file = file.strip_prefix(directory.path()).unwrap();
            if file.ends_with("lock") || file.ends_with(JOURNAL) {
                continue;
            }
            let bytes = std::fs::read(directory.path().join(file)).unwrap();
            let flipped = bytes.iter().map(|byte| byte ^ 0xff).collect();
            for (what, bytes) in [
                ("gone", None),
                ("empty", Some(vec![])),
                ("cut", Some(bytes[..bytes.len() / 2].to_vec())),
                ("flipped", Some(flipped)),
            ] {
                let image = crashed.image();
                let path = image.path().join(file);
                match bytes {
                    Some(bytes) => std::fs::write(path, bytes).unwrap(),
                    None => std::fs::remove_file(path).unwrap(),
                }
                seen.see(&format!("{} {what}", file.display()), &crashed, &image).await;
            }
        }
        // fjall keeps some of what it writes only for people to read.
        assert!(seen.refused >= 10, "{seen:?}");
    });
}
