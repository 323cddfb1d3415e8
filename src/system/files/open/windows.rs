//! Windows' part of the checks: an owner and an access control list in place of an owner and a mode.

use std::fs::File;
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;

use windows_sys::Win32::Foundation::{GENERIC_ALL, GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_FLAG_BACKUP_SEMANTICS, FILE_SHARE_DELETE,
    FILE_WRITE_DATA, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
};

use super::unusable;
use crate::error::Result;
use crate::system::acl;
use crate::system::files::io_error;

/// Any access.
pub const ANY: u32 = u32::MAX;

/// What lets others change a file.
pub const CHANGE_FILE: u32 =
    FILE_WRITE_DATA | FILE_APPEND_DATA | DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL;

/// What lets others exchange the files in a directory. Adding files is allowed, as in a sticky directory on Unix: the owner
/// check refuses files of other users. So is `DELETE`, which Windows grants to all users for directories at the root of a drive.
pub const CHANGE_DIR: u32 = FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;

/// Creates a file with an ACL of its own. Until the handle is closed, no one else can open it, so that there is no moment at
/// which others can read what is being written.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    options.access_mode(GENERIC_WRITE | READ_CONTROL | WRITE_DAC).share_mode(FILE_SHARE_DELETE);
    let file = options.open(path)?;
    acl::protect(&file)?;
    Ok(file)
}

/// Opens a file for reading and writing, or creates it with an ACL of its own. Other processes can open it meanwhile.
pub fn open_or_create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        result => return result,
    }
    let mut create = options.clone();
    create.create_new(true).access_mode(GENERIC_READ | GENERIC_WRITE | WRITE_DAC);
    match create.open(path) {
        Ok(file) => acl::protect(&file).map(|()| file),
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        failed => failed,
    }
}

/// Replaces the ACL of a directory, and with it what files that are created in it inherit.
///
/// # Errors
/// As the system reports.
pub fn protect_dir(dir: &Path) -> io::Result<()> {
    acl::protect(&open_dir(dir, WRITE_DAC)?)
}

/// Replaces the ACL of a directory if it grants anything to others, now or for what will be created in it.
pub fn restrict_dir(dir: &Path) -> Result<()> {
    let opened = open_dir(dir, READ_CONTROL).map_err(|error| io_error("open", dir, error))?;
    // The owner.
    check(dir, &opened, 0)?;
    let protect = || if is_open_to_others(&opened)? { protect_dir(dir) } else { Ok(()) };
    protect().map_err(|error| io_error("protect", dir, error))
}

/// Checks a directory that a file is in.
pub fn check_dir(dir: &Path) -> Result<()> {
    let opened = open_dir(dir, READ_CONTROL).map_err(|error| io_error("open", dir, error))?;
    check(dir, &opened, CHANGE_DIR)
}

/// Checks that a file or directory is the user's or an administrator's, and that no one else has any of these rights.
pub fn check(path: &Path, opened: &File, rights: u32) -> Result<()> {
    let read = || Ok((acl::user()?, acl::read(opened)?));
    let (user, access) = read().map_err(|error| io_error("read the permissions of", path, error))?;
    // Everyone owns the files of a file system without owners.
    let is_other = |owner: &&String| *owner != acl::EVERYONE && !is_trusted(owner, &user);
    if let Some(owner) = access.owner.as_ref().filter(is_other) {
        let hint = "give directories of your own with --config-dir and --state-dir".into();
        return Err(unusable(path, &format!("belongs to another user ({})", name(owner)), hint));
    }
    let others = others(&access, &user, rights);
    if others.is_empty() {
        return Ok(());
    }
    let inherited = if path.is_dir() { "(OI)(CI)" } else { "" };
    let remove: String = others.iter().map(|sid| format!(" *{sid}")).collect();
    // In this form for cmd and PowerShell.
    let hint = format!(
        "icacls \"{}\" /inheritance:r /remove:g{remove} /grant:r \"*{user}:{inherited}F\"",
        path.display()
    );
    let names: Vec<&str> = others.iter().map(|sid| name(sid)).collect();
    Err(unusable(path, &format!("has permissions too open (for {})", names.join(", ")), hint))
}

/// Whether the ACL grants others anything, now or for what will be created in the directory.
pub fn is_open_to_others(opened: &File) -> io::Result<bool> {
    Ok(!others(&acl::read(opened)?, &acl::user()?, ANY).is_empty())
}

/// To whom else any of these rights are granted: neither the user nor one who controls the machine.
fn others(access: &acl::Access, user: &str, rights: u32) -> Vec<String> {
    let mut sids: Vec<String> = access
        .granted
        .iter()
        .filter(|grant| grant.rights & rights != 0 && (rights == ANY || !grant.is_for_children))
        .map(|grant| grant.sid.clone())
        .filter(|sid| !is_trusted(sid, user))
        .collect();
    sids.sort_unstable();
    sids.dedup();
    sids
}

/// Whether this is the user, or one who could do everything anyway, as root on Unix.
fn is_trusted(sid: &str, user: &str) -> bool {
    const SYSTEM: &str = "S-1-5-18";
    const ADMINISTRATORS: &str = "S-1-5-32-544";
    const TRUSTED_INSTALLER: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    // Entries for the owner of the file, and for the owner of a file that will be created.
    const CREATOR_OWNER: &str = "S-1-3-0";
    const OWNER_RIGHTS: &str = "S-1-3-4";
    let is_domain_admins = sid.starts_with("S-1-5-21-") && sid.ends_with("-512");
    [user, SYSTEM, ADMINISTRATORS, TRUSTED_INSTALLER, CREATOR_OWNER, OWNER_RIGHTS].contains(&sid)
        || is_domain_admins
}

/// The English name of a group that many files are open to, else the SID.
fn name(sid: &str) -> &str {
    match sid {
        acl::EVERYONE => "Everyone",
        "S-1-5-11" => "Authenticated Users",
        "S-1-5-32-545" => "Users",
        sid => sid,
    }
}

fn open_dir(dir: &Path, access: u32) -> io::Result<File> {
    File::options().access_mode(access).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(dir)
}
