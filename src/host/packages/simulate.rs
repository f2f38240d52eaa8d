//! What apt would do: `apt-get --simulate`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::host::PackageName;

/// A package that an installation brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arriving {
    /// The version that comes.
    pub version: String,
    /// The version that is there and goes; `None` if the package is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// What a run of apt would move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Moves {
    pub(super) arriving: BTreeMap<PackageName, Arriving>,
    pub(super) leaving: BTreeSet<PackageName>,
}

/// Reads `Inst NAME [OLD] (NEW …)`, `Remv NAME [OLD]` and `Purg NAME [OLD]`. Packages of foreign architectures count by
/// their plain name.
pub(super) fn moves(output: &str) -> Moves {
    let mut moves = Moves::default();
    for line in output.lines() {
        let Some((verb, rest)) = line.split_once(' ') else {
            continue;
        };
        let mut words = rest.split_whitespace();
        let name = words.next().and_then(|word| word.split(':').next());
        let Some(Ok(name)) = name.map(PackageName::new) else {
            continue;
        };
        match verb {
            "Inst" => {
                let mut replaces = None;
                let mut version = String::new();
                for word in words {
                    if let Some(new) = word.strip_prefix('(') {
                        new.trim_end_matches(')').clone_into(&mut version);
                        break;
                    }
                    replaces = Some(word.trim_matches(['[', ']']).to_owned());
                }
                moves.arriving.insert(name, Arriving { version, replaces });
            }
            "Remv" | "Purg" => {
                moves.leaving.insert(name);
            }
            _ => {}
        }
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_are_read_off_what_apt_says() {
        let moves = moves(
            "Reading package lists...\nThe following NEW packages will be installed:\n  cowsay\n\
             0 upgraded, 2 newly installed, 0 to remove and 121 not upgraded.\n\
             Inst libtext-charwidth-perl (0.04-11 Debian:12.15/oldstable [amd64])\n\
             Inst libc6:i386 [2.36-9] (2.36-9+deb12u1 Debian:12.15/oldstable [i386]) []\n\
             Conf cowsay (3.03+dfsg2-8 Debian:12.15/oldstable [all])\n\
             Remv nano [7.2-1]\nPurg tmux [3.3a-3]\n",
        );
        let arriving: Vec<String> = moves
            .arriving
            .iter()
            .map(|(name, one)| format!("{name} {} {:?}", one.version, one.replaces))
            .collect();
        assert_eq!(
            arriving,
            [
                "libc6 2.36-9+deb12u1 Some(\"2.36-9\")",
                "libtext-charwidth-perl 0.04-11 None"
            ]
        );
        let leaving: Vec<&str> = moves.leaving.iter().map(PackageName::as_str).collect();
        assert_eq!(leaving, ["nano", "tmux"]);
    }
}
