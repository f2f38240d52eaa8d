use super::{DiskConfig, Format, MountPoint, Purpose, disk};
use crate::config::HostName;
use crate::config::tests::support::repository;
use crate::host::HostPath;

fn read(text: &str) -> Result<Option<DiskConfig>, String> {
    let snapshot = repository(&[("hosts/web/host.yml", "{}"), ("hosts/web/disk.yml", text)]);
    disk(&snapshot, &HostName::new("web").unwrap()).map_err(|errors| {
        let messages = errors.errors().iter().map(|error| {
            let line = error.mark.as_ref().map_or(0, |mark| mark.origin.line);
            format!("{line}: {}", error.message)
        });
        messages.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn the_disk_of_the_example_is_what_it_says() {
    let found = read(include_str!("../../../repo-example/hosts/yakima/disk.yml"));
    let found = found.unwrap().unwrap();
    assert_eq!(found.device.as_str(), "/dev/nvme0n1");
    let [esp, boot, root] = found.partitions.as_slice() else {
        panic!("{found:?}");
    };
    let (esp, boot, root) = (&esp.value, &boot.value, &root.value);
    assert_eq!(
        (esp.purpose, esp.format),
        (Purpose::Esp, Some(Format::Vfat))
    );
    assert_eq!(esp.size_bytes, Some(1 << 30));
    assert_eq!(
        (boot.purpose, boot.size_bytes),
        (Purpose::Linux, Some(2 << 30))
    );
    assert_eq!((root.format, root.size_bytes), (Some(Format::Btrfs), None));
    let luks = root.luks.as_ref().unwrap();
    assert_eq!((luks.name.as_str(), luks.discard), ("cryptroot", true));
    assert_eq!(root.options, ["compress=zstd", "noatime"]);
    let swap = &root.subvolumes["@swap"];
    assert_eq!(swap.swapfile_bytes, Some(16 << 30));
    let place = HostPath::new("/swap").unwrap();
    assert_eq!(swap.mount, Some(MountPoint::Below(place)));
    assert_eq!(root.subvolumes["@"].mount, Some(MountPoint::Root));
    assert_eq!(root.subvolumes.len(), 6);
}

#[test]
fn a_host_need_not_say_how_its_disk_is_divided() {
    let snapshot = repository(&[("hosts/web/host.yml", "{}")]);
    assert_eq!(disk(&snapshot, &HostName::new("web").unwrap()), Ok(None));
}

#[test]
fn what_is_wrong_with_a_disk_is_said_at_its_line() {
    let root = "  - { name: root, format: ext4, mount: / }\n";
    let disk = |partitions: &str| format!("disk: /dev/vda\npartitions:\n{partitions}");
    for (text, message) in [
        (String::new(), "1: disk.yml needs the key `disk`"),
        (
            format!("disk: vda\npartitions:\n{root}"),
            "1: `vda` is not a valid host path",
        ),
        (
            format!("disk: /srv/vda\npartitions:\n{root}"),
            "1: found the text `/srv/vda` where a disk such as `/dev/nvme0n1` is wanted",
        ),
        (
            disk("  - { name: root, formt: ext4, mount: / }\n"),
            "3: `formt` is not a key of a partition",
        ),
        (
            disk(&format!("  - {{ name: a, format: ext4 }}\n{root}")),
            "3: a partition needs the key `size`",
        ),
        (
            disk(&format!("  - {{ name: a, size: 5, format: ext4 }}\n{root}")),
            "3: found the number `5` where a size such as",
        ),
        (
            disk(&format!(
                "  - {{ name: a, size: 0G, format: ext4 }}\n{root}"
            )),
            "3: found the text `0G` where a size such as",
        ),
        (
            disk(&format!(
                "  - {{ name: root, size: 1G, format: ext4 }}\n{root}"
            )),
            "4: two partitions are called `root`",
        ),
        (
            disk(&format!(
                "  - {{ name: a, size: 1G, format: ext4, mount: / }}\n{root}"
            )),
            "4: two are mounted at `/`",
        ),
        (
            disk(&format!(
                "  - {{ name: a, size: 1G, type: esp, format: ext4 }}\n{root}"
            )),
            "3: found the text `ext4` where `vfat`",
        ),
        (
            disk(&format!(
                "  - {{ name: a, size: 1G, format: swap }}\n{root}"
            )),
            "3: found the text `swap` where a file system, or `type: swap`",
        ),
        (
            disk(&format!(
                "  - {{ name: a, size: 1M, type: bios, format: ext4 }}\n{root}"
            )),
            "3: found the text `ext4` where nothing",
        ),
        (
            disk("  - { name: a, format: ext4, subvolumes: { \"@\": { mount: / } } }\n"),
            "3: only btrfs has subvolumes",
        ),
        (
            disk("  - { name: a, format: btrfs, subvolumes: { \"@\": { mout: / } } }\n"),
            "3: `mout` is not a key of a subvolume",
        ),
        (
            disk("  - { name: a, format: ext4, mount: /, luks: { discard: true } }\n"),
            "3: `luks` needs the key `name`",
        ),
        (
            disk("  - { name: a, format: ext4, mount: /, luks: { name: a/b } }\n"),
            "3: found the text `a/b` where a name below /dev/mapper",
        ),
        (
            disk("  - { name: a, format: ext4, mount: /srv }\n"),
            "1: nothing is mounted at `/`",
        ),
    ] {
        let found = read(&text).unwrap_err();
        assert!(
            found.contains(message),
            "{text}\ngave {found}\nand not {message}"
        );
    }
    let whole = format!(
        "  - {{ name: grub, size: 1M, type: bios }}\n  - {{ name: swap, size: 4G, type: swap, format: swap }}\n{root}"
    );
    assert!(read(&disk(&whole)).unwrap().is_some());
}
