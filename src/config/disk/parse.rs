//! Takes the typed disk out of the tree of its file.

use std::collections::BTreeMap;

use super::{
    DiskConfig, Format, LuksConfig, MountPoint, PartitionConfig, Purpose, SubvolumeConfig,
};
use crate::config::error::Mark;
use crate::config::reader::{Fields, Reader};
use crate::config::vocabulary::{DISK, LUKS, PARTITION, SUBVOLUME};
use crate::config::yaml::{Node, Place};
use crate::host::HostPath;

/// The longest label that a GUID partition table holds.
const MAX_LABEL: usize = 36;

const PURPOSES: [(&str, Purpose); 4] = [
    ("linux", Purpose::Linux),
    ("esp", Purpose::Esp),
    ("swap", Purpose::Swap),
    ("bios", Purpose::Bios),
];

const FORMATS: [(&str, Format); 5] = [
    ("vfat", Format::Vfat),
    ("ext4", Format::Ext4),
    ("xfs", Format::Xfs),
    ("btrfs", Format::Btrfs),
    ("swap", Format::Swap),
];

/// Reads the whole file; what is wrong is in the reader.
pub(super) fn disk(root: &Node, reader: &mut Reader) -> Option<DiskConfig> {
    let fields = reader.fields(root, "disk.yml", DISK)?;
    let owner = (root.place, "disk.yml");
    let device = reader
        .required(fields, "disk", owner)
        .and_then(|node| device(node, reader));
    let nodes = reader
        .required(fields, "partitions", owner)
        .and_then(|node| reader.list(node, "partitions"))
        .unwrap_or_default();
    let mut partitions = Disk::new(reader);
    for (index, node) in nodes.iter().enumerate() {
        partitions.add(node, index + 1 == nodes.len());
    }
    let found = partitions.finish(root.place)?;
    Some(DiskConfig {
        device: device?,
        partitions: found,
    })
}

fn device(node: &Node, reader: &mut Reader) -> Option<HostPath> {
    let path: HostPath = reader.name(node)?;
    if !path.as_str().starts_with("/dev/") {
        reader.wrong_type(node, "a disk such as `/dev/nvme0n1`");
        return None;
    }
    Some(path)
}

/// The partitions so far, and what no two may have.
struct Disk<'r> {
    reader: &'r mut Reader,
    partitions: Vec<crate::config::Located<PartitionConfig>>,
    labels: BTreeMap<String, Place>,
    mounts: BTreeMap<MountPoint, Place>,
    is_whole: bool,
}

impl<'r> Disk<'r> {
    fn new(reader: &'r mut Reader) -> Self {
        Self {
            reader,
            partitions: Vec::new(),
            labels: BTreeMap::new(),
            mounts: BTreeMap::new(),
            is_whole: true,
        }
    }

    fn add(&mut self, node: &Node, is_last: bool) {
        match self.partition(node, is_last) {
            Some(partition) => {
                let partition = self.reader.located(node.place, partition);
                self.partitions.push(partition);
            }
            None => self.is_whole = false,
        }
    }

    /// All partitions, if nothing was wrong with any.
    fn finish(self, place: Place) -> Option<Vec<crate::config::Located<PartitionConfig>>> {
        let root = self.mounts.contains_key(&MountPoint::Root);
        if self.is_whole && !root {
            self.reader.error(place, "nothing is mounted at `/`").fix =
                Some("say `mount: /` of the partition or subvolume with the system".to_owned());
        }
        (self.is_whole && root).then_some(self.partitions)
    }

    fn partition(&mut self, node: &Node, is_last: bool) -> Option<PartitionConfig> {
        let fields = self.reader.fields(node, "a partition", PARTITION)?;
        let owner = (node.place, "a partition");
        let name = self
            .reader
            .required(fields, "name", owner)
            .and_then(|node| self.label(node));
        let size_bytes = fields.get("size").map(|node| size(node, self.reader));
        if size_bytes.is_none() && !is_last {
            let fix = "only the last partition takes the rest of the disk";
            self.reader
                .error(node.place, "a partition needs the key `size`")
                .fix = Some(fix.to_owned());
            return None;
        }
        let purpose = match fields.get("type") {
            Some(node) => self.reader.one_of(node, &PURPOSES),
            None => Some(Purpose::Linux),
        };
        let format = self.format(fields, purpose, node.place);
        let luks = fields.get("luks").map(|node| luks(node, self.reader));
        let mount = fields.get("mount").map(|node| self.mount(node));
        let options = fields
            .get("options")
            .map_or_else(Vec::new, |node| self.options(node));
        let subvolumes = self.subvolumes(fields, format.flatten());
        Some(PartitionConfig {
            name: name?,
            size_bytes: transposed(size_bytes)?,
            purpose: purpose?,
            luks: transposed(luks)?,
            format: format?,
            mount: transposed(mount)?,
            options,
            subvolumes: subvolumes?,
        })
    }

    fn label(&mut self, node: &Node) -> Option<String> {
        let label = self.reader.line(node)?.to_owned();
        if label.chars().count() > MAX_LABEL {
            let wanted = format!("a label of at most {MAX_LABEL} characters");
            self.reader.wrong_type(node, &wanted);
            return None;
        }
        if let Some(first) = self.labels.insert(label.clone(), node.place) {
            self.twice(
                node.place,
                format!("two partitions are called `{label}`"),
                first,
            );
            return None;
        }
        Some(label)
    }

    fn twice(&mut self, place: Place, message: String, first: Place) {
        let first: Mark = self.reader.mark(first);
        self.reader.error(place, message).related = Some((first, "it was here first".to_owned()));
    }

    /// The file system: none where GRUB lies, vfat where the firmware reads. The outer `None` says that it is wrong.
    #[expect(
        clippy::option_option,
        reason = "no file system is an answer, and a wrong one is none"
    )]
    fn format(
        &mut self,
        fields: Fields<'_>,
        purpose: Option<Purpose>,
        place: Place,
    ) -> Option<Option<Format>> {
        let node = match (fields.get("format"), purpose?) {
            (None, Purpose::Bios) => return Some(None),
            (None, _) => {
                self.reader
                    .required(fields, "format", (place, "a partition"));
                return None;
            }
            (Some(node), _) => node,
        };
        let format = self.reader.one_of(node, &FORMATS)?;
        let (fits, wanted) = match purpose? {
            Purpose::Bios => (false, "nothing, since GRUB needs the partition for itself,"),
            Purpose::Esp => (
                format == Format::Vfat,
                "`vfat`, which is all that firmware reads,",
            ),
            Purpose::Swap => (format == Format::Swap, "`swap`"),
            Purpose::Linux => (
                format != Format::Swap,
                "a file system, or `type: swap` beside it,",
            ),
        };
        if !fits {
            self.reader.wrong_type(node, wanted);
            return None;
        }
        Some(Some(format))
    }

    fn mount(&mut self, node: &Node) -> Option<MountPoint> {
        let text = self.reader.text(node)?;
        let point = match text {
            "/" => MountPoint::Root,
            _ => MountPoint::Below(self.reader.name(node)?),
        };
        if let Some(first) = self.mounts.insert(point.clone(), node.place) {
            self.twice(node.place, format!("two are mounted at `{text}`"), first);
            return None;
        }
        Some(point)
    }

    fn options(&mut self, node: &Node) -> Vec<String> {
        let items = self.reader.list(node, "mount options").unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.reader.line(item).map(str::to_owned))
            .collect()
    }

    fn subvolumes(
        &mut self,
        fields: Fields<'_>,
        format: Option<Format>,
    ) -> Option<BTreeMap<String, SubvolumeConfig>> {
        let mut subvolumes = BTreeMap::new();
        let Some(entry) = fields.entry("subvolumes") else {
            return Some(subvolumes);
        };
        if format.is_some_and(|format| format != Format::Btrfs) {
            self.reader
                .error(entry.key.place, "only btrfs has subvolumes")
                .fix = Some("say `format: btrfs`, or leave them out".to_owned());
            return None;
        }
        let entries = self.reader.entries(&entry.value, "subvolumes by name")?;
        for entry in entries {
            let fields = self.reader.fields(&entry.value, "a subvolume", SUBVOLUME)?;
            let mount = fields.get("mount").map(|node| self.mount(node));
            let swapfile = fields.get("swapfile").map(|node| size(node, self.reader));
            let subvolume = SubvolumeConfig {
                mount: transposed(mount)?,
                swapfile_bytes: transposed(swapfile)?,
            };
            subvolumes.insert(entry.key.text.clone(), subvolume);
        }
        Some(subvolumes)
    }
}

/// Something that may be left out: `None` only if it was said, and wrong.
#[expect(
    clippy::option_option,
    reason = "left out and wrong are told apart here, and nowhere else"
)]
fn transposed<T>(said: Option<Option<T>>) -> Option<Option<T>> {
    match said {
        None => Some(None),
        Some(None) => None,
        Some(value) => Some(value),
    }
}

fn luks(node: &Node, reader: &mut Reader) -> Option<LuksConfig> {
    let fields = reader.fields(node, "`luks`", LUKS)?;
    let name = reader
        .required(fields, "name", (node.place, "`luks`"))
        .and_then(|node| {
            let name = reader.line(node)?;
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            if name.bytes().all(is_plain) {
                return Some(name.to_owned());
            }
            reader.wrong_type(
                node,
                "a name below /dev/mapper, of letters, digits, `.`, `_`, `-`,",
            );
            None
        });
    let discard = match fields.get("discard") {
        Some(node) => reader.boolean(node),
        None => Some(false),
    };
    Some(LuksConfig {
        name: name?,
        discard: discard?,
    })
}

/// `512M`, `1G`, `2T` in bytes, as fdisk counts them.
fn size(node: &Node, reader: &mut Reader) -> Option<u64> {
    let text = reader.text(node)?;
    let bytes = text
        .split_at_checked(text.len().saturating_sub(1))
        .and_then(|(number, unit)| {
            let shift = match unit {
                "M" => 20,
                "G" => 30,
                "T" => 40,
                _ => return None,
            };
            let number: u32 = number.parse().ok()?;
            (number > 0).then(|| u64::from(number) << shift)
        });
    if bytes.is_none() {
        reader.wrong_type(node, "a size such as `512M`, `16G` or `2T`");
    }
    bytes
}
