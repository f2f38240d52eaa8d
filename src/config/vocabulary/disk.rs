//! `hosts/NAME/disk.yml`.

use super::field::{Field, Kind, field};

/// How the disk of a host is divided.
pub(in crate::config) const DISK: &[Field] = &[
    field(
        "disk",
        Kind::Text,
        "The disk: `/dev/nvme0n1`, or better a name below `/dev/disk/by-id` that stays.",
    ),
    field(
        "partitions",
        Kind::List(&Kind::Object(PARTITION)),
        "Its partitions, in order; the last one may leave `size` out and takes the rest.",
    ),
];

/// A partition.
pub(in crate::config) const PARTITION: &[Field] = &[
    field("name", Kind::Text, "Its label in the partition table."),
    field("size", Kind::Text, "Its size: `512M`, `1G`, `2T`."),
    field(
        "type",
        Kind::Words(&["linux", "esp", "swap", "bios"]),
        "What it is for; `linux` when left out. `esp` is the EFI system partition, `bios` where GRUB lies without EFI.",
    ),
    field("luks", Kind::Object(LUKS), "It is encrypted, with LUKS2."),
    field(
        "format",
        Kind::Words(&["vfat", "ext4", "xfs", "btrfs", "swap"]),
        "The file system in it.",
    ),
    field("mount", Kind::Text, "Where it is mounted."),
    field(
        "options",
        Kind::List(&Kind::Text),
        "Mount options, of its subvolumes too.",
    ),
    field(
        "subvolumes",
        Kind::Map(&Kind::Object(SUBVOLUME)),
        "Subvolumes of btrfs by name.",
    ),
];

/// The encryption of a partition.
pub(in crate::config) const LUKS: &[Field] = &[
    field(
        "name",
        Kind::Text,
        "Its name below `/dev/mapper` when open.",
    ),
    field(
        "discard",
        Kind::Boolean,
        "Whether the disk is told which blocks are free; that shows where there is nothing.",
    ),
];

/// A subvolume of btrfs.
pub(in crate::config) const SUBVOLUME: &[Field] = &[
    field("mount", Kind::Text, "Where it is mounted."),
    field(
        "swapfile",
        Kind::Text,
        "The size of a file `swapfile` in it to swap to.",
    ),
];
