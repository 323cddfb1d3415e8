use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use super::*;

const PURPOSES: [Purpose; 5] =
    [Purpose::Secret, Purpose::State, Purpose::Config, Purpose::PrivateKey, Purpose::Export];

/// A temporary directory with a private directory `dir/sub`, and in it the file `f`.
fn fixture() -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let file = root.path().join("dir/sub/f");
    replace(&file, b"content").expect("writable");
    (root, file)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("owned by us");
}

/// Returns the error of a read that must not block.
fn rejection(path: &Path, purpose: Purpose) -> Option<String> {
    let start = Instant::now();
    let error = read(path, purpose).err().map(|error| error.to_string());
    assert!(start.elapsed() < Duration::from_secs(5), "{} blocked", path.display());
    error
}

#[test]
fn reads_an_existing_file_and_reports_absence() {
    let (_root, file) = fixture();
    for purpose in PURPOSES {
        assert_eq!(*read(&file, purpose).expect("readable").expect("it exists"), *b"content");
        assert!(read(&file.with_file_name("absent"), purpose).expect("absence is no error").is_none());
        assert!(read(Path::new("/absent/dir/f"), purpose).expect("absence is no error").is_none());
    }
}

#[test]
fn rejects_everything_but_regular_files_without_blocking() {
    let (_root, file) = fixture();
    let in_dir = |name: &str| file.with_file_name(name);
    let status = std::process::Command::new("mkfifo").arg(in_dir("fifo")).status().expect("mkfifo runs");
    assert!(status.success());
    fs::create_dir(in_dir("directory")).expect("writable");
    let _listener = UnixListener::bind(in_dir("socket")).expect("writable");
    symlink("/dev/zero", in_dir("zero")).expect("writable");
    symlink(in_dir("fifo"), in_dir("link-to-fifo")).expect("writable");
    symlink("/nowhere", in_dir("dangling")).expect("writable");
    symlink("loop", in_dir("loop")).expect("writable");
    for name in ["fifo", "directory", "socket", "zero", "link-to-fifo", "dangling", "loop"] {
        for purpose in PURPOSES {
            let error = rejection(&in_dir(name), purpose);
            assert!(
                error.as_ref().is_some_and(|error| error.contains(name)),
                "{name} {purpose:?}: {error:?}"
            );
        }
    }
    for device in ["/dev/zero", "/dev/tty"] {
        assert!(rejection(Path::new(device), Purpose::Config).is_some(), "{device}");
    }
}

#[test]
fn rejects_files_over_the_size_limit() {
    let (_root, file) = fixture();
    fs::write(&file, vec![b'x'; MAX_LEN]).expect("writable");
    assert_eq!(read(&file, Purpose::Secret).expect("at the limit").expect("it exists").len(), MAX_LEN);
    File::options().write(true).open(&file).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    for purpose in PURPOSES {
        let error = rejection(&file, purpose).expect("too large");
        let limit = if purpose == Purpose::Export { 256 } else { 4 };
        assert!(error.contains(&format!("is larger than {limit} MiB\nhint: ")), "{error}");
    }
}

#[test]
fn checks_every_mode_of_file_and_directories() {
    let (_root, file) = fixture();
    for mode in 0o600..=0o777 {
        set_mode(&file, mode);
        for purpose in PURPOSES {
            let forbidden = match purpose {
                // Group members may read a key of root's.
                Purpose::PrivateKey if rustix::process::geteuid().is_root() => 0o037,
                Purpose::Secret | Purpose::PrivateKey => 0o077,
                Purpose::State | Purpose::Config | Purpose::Export => 0o022,
            };
            let error = rejection(&file, purpose);
            assert_eq!(error.is_some(), mode & forbidden != 0, "{mode:04o} {purpose:?}: {error:?}");
        }
    }
    set_mode(&file, 0o600);
    let dir = file.parent().expect("a directory");
    for dir in [dir, dir.parent().expect("a directory")] {
        for mode in (0o700..=0o777).chain(0o1700..=0o1777) {
            set_mode(dir, mode);
            let error = rejection(&file, Purpose::State);
            assert_eq!(error.is_some(), mode & 0o022 != 0 && mode & 0o1000 == 0, "{mode:04o}: {error:?}");
            if let Some(error) = error {
                assert!(error.ends_with(&format!("hint: chmod go-w '{}'", dir.display())), "{error}");
            }
        }
        set_mode(dir, 0o700);
    }
}

#[test]
fn follows_links_of_the_user_only_where_the_target_is_as_safe() {
    let (root, file) = fixture();
    let link = root.path().join("dir/link");
    symlink(&file, &link).expect("writable");
    for purpose in [Purpose::Config, Purpose::PrivateKey] {
        assert_eq!(*read(&link, purpose).expect("readable").expect("it exists"), *b"content");
    }
    for purpose in [Purpose::Secret, Purpose::State] {
        let error = rejection(&link, purpose).expect("a link");
        assert!(error.contains("link is a symbolic link\nhint: move it away (mv '"), "{error}");
    }
    set_mode(file.parent().expect("a directory"), 0o777);
    assert!(rejection(&link, Purpose::Config).is_some(), "the target's directory is writable by others");
}

#[test]
fn rejects_other_owners() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (_root, file) = fixture();
    let dir = file.parent().expect("a directory");
    let above = dir.parent().expect("a directory");
    for path in [&file, dir, above] {
        chown(path, Some(65_534), None).expect("root may");
        for purpose in PURPOSES {
            if path == above && purpose == Purpose::Export {
                assert!(rejection(&file, purpose).is_none(), "a volume may be anyone's");
                continue;
            }
            let error = rejection(&file, purpose).expect("another owner");
            assert!(error.contains("belongs to another user (uid 65534)\nhint: run oneup as"), "{error}");
        }
        assert!(open_lock(&file).is_err());
        chown(path, Some(0), None).expect("root may");
    }
    assert!(rejection(&file, Purpose::Secret).is_none());
}

#[test]
fn lock_file_must_be_a_regular_file_of_the_user() {
    let (_root, file) = fixture();
    let in_dir = |name: &str| file.with_file_name(name);
    let status = std::process::Command::new("mkfifo").arg(in_dir("fifo")).status().expect("mkfifo runs");
    assert!(status.success());
    symlink(in_dir("elsewhere"), in_dir("link")).expect("writable");
    fs::create_dir(in_dir("directory")).expect("writable");
    for name in ["fifo", "link", "directory"] {
        let start = Instant::now();
        open_lock(&in_dir(name)).expect_err(name);
        assert!(start.elapsed() < Duration::from_secs(5), "{name} blocked");
    }
    assert!(!in_dir("elsewhere").exists());
    open_lock(&in_dir("lock")).expect("a new lock file");
}

#[test]
fn replacing_keeps_a_link_and_its_target_whole() {
    let (root, file) = fixture();
    let link = root.path().join("dir/link");
    symlink(&file, &link).expect("writable");
    replace_target(&link, b"new").expect("writable");
    assert!(link.is_symlink() && fs::read(&file).expect("readable") == b"new");
    replace(&link, b"plain").expect("writable");
    assert!(!link.is_symlink() && fs::read(&file).expect("readable") == b"new");
}

#[test]
fn one_of_several_creators_succeeds() {
    let (_root, file) = fixture();
    let path = file.with_file_name("created");
    assert!(create(&path, b"one").expect("writable"));
    assert!(!create(&path, b"two").expect("it exists"));
    assert_eq!(*read(&path, Purpose::Secret).expect("private").expect("it exists"), *b"one");
}

#[test]
fn hints_name_the_cause_of_a_failure() {
    let (_root, file) = fixture();
    for (errno, hint) in [
        (rustix::io::Errno::NOSPC, "free some disk space"),
        (rustix::io::Errno::ROFS, "mounted read-only"),
        (rustix::io::Errno::NOLCK, "no locks (NFS"),
        (rustix::io::Errno::STALE, "network file system"),
        (rustix::io::Errno::ACCESS, "check its permissions: ls -ld '"),
    ] {
        let error = io_error("write", &file, errno.into()).to_string();
        assert!(error.contains("\nhint: ") && error.contains(hint), "{error}");
    }
    let dir = file.parent().expect("a directory");
    let error = io_error("write", &dir.join("new/file"), rustix::io::Errno::ACCESS.into()).to_string();
    assert!(error.ends_with(&format!("ls -ld {}", quote(dir))), "it can be listed: {error}");
}
