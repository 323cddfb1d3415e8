"""Puts pinned packages of npm, PyPI, Maven Central and crates.io into the cache, each once, never into the checkout."""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oneup-ci" / "judges"
# The Node.js that runs the judges from npm, whatever the machine has; npm itself is the machine's.
NODE = "22.23.3"


class Missing(Exception):
    """What a judge needs and this machine does not have."""


def require(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Missing(program)


def run(*command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", **options)
    if result.returncode:
        last = "\n".join(result.stdout.strip().splitlines()[-5:])
        raise Missing(f"a package that {command[0]} could not install:\n{last}")
    return result.stdout


def once(name, fill):
    """The cached directory `name`; `fill(path)` makes its content. One that was interrupted is never used."""
    target = CACHE / name
    if target.is_dir():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix="part.", dir=CACHE))
    try:
        fill(part)
        if not target.is_dir():
            part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def cached_name(kind, packages):
    digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:8]
    return f"{kind}-{packages[0].replace('/', '+').replace(':', '+')}-{digest}"


def npm(packages):
    """Packages as NAME@VERSION. No package's script runs."""
    def fill(path):
        require("npm")
        dependencies = dict(package.rsplit("@", 1) for package in packages)
        (path / "package.json").write_text(json.dumps({"private": True, "dependencies": dependencies}))
        run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", cwd=path)
    return once(cached_name("npm", packages), fill)


def node():
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if not machine:
        raise Missing(f"Node.js for {platform.machine()}")
    package = f"node-linux-{machine}"
    return npm([f"{package}@{NODE}"]) / "node_modules" / package / "bin" / "node"


def pypi(packages):
    """Packages as NAME==VERSION, in an environment that stays where it was made: its scripts hold its path."""
    target = CACHE / cached_name("pypi", packages)
    if not (target / "complete").exists():
        require("python3")
        shutil.rmtree(target, ignore_errors=True)
        run("python3", "-m", "venv", str(target))
        run(str(target / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", *packages)
        (target / "complete").touch()
    return target


def maven(packages):
    """Artifacts as GROUP:NAME:VERSION, with what they depend on, as one directory of jars."""
    def fill(path):
        require("mvn", "java")
        entries = "".join(
            "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
            .format(*package.split(":")) for package in packages)
        (path / "pom.xml").write_text(
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
            "<groupId>local</groupId><artifactId>jars</artifactId><version>1</version>"
            f"<dependencies>{entries}</dependencies></project>")
        run("mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime",
            "-DoutputDirectory=jars", cwd=path)
    return once(cached_name("maven", packages), fill)


def crate(packages):
    """The data files of a crate as NAME@VERSION; nothing is compiled."""
    name, version = packages[0].rsplit("@", 1)

    def fill(path):
        require("cargo")
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, "lib.rs").touch()
            Path(scratch, "Cargo.toml").write_text(
                f'[package]\nname = "scratch"\nversion = "0.0.0"\nedition = "2024"\n[lib]\npath = "lib.rs"\n'
                f'[dependencies]\n{name} = {{ version = "={version}", default-features = false }}\n')
            run("cargo", "vendor", "-q", "vendor", cwd=scratch)
            shutil.move(Path(scratch, "vendor", name, "src", "data"), path / "data")
    return once(cached_name("crate", packages), fill)


def source_lists(path):
    """Lists of Debian's source packages in a directory of our own; those of the machine may have none."""
    path.mkdir()
    for name in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        text = name.read_text() if name.is_file() else ""
        if name.suffix == ".sources":
            stanzas = (stanza for stanza in text.split("\n\n") if "debian" in stanza)
            text = "\n\n".join(re.sub(r"(?m)^Types:.*", "Types: deb-src", stanza) for stanza in stanzas)
        else:
            lines = (line for line in text.splitlines() if line.startswith("deb ") and "debian" in line)
            text = "\n".join("deb-src" + line.removeprefix("deb") for line in lines)
        if text.strip():
            (path / name.name).write_text(text + "\n")


def debian_source(packages):
    """A source package as NAME@VERSION without Debian's revision, configured for HTTP alone, and built for its tests."""
    name, version = packages[0].rsplit("@", 1)

    def fill(path):
        require("apt-get", "dpkg-source", "make", "perl", "cc", "stunnel")
        source_lists(path / "sources")
        (path / "lists" / "partial").mkdir(parents=True)
        own = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={path}/sources",
               "-o", f"Dir::State::lists={path}/lists", "-o", "APT::Sandbox::User="]
        run("apt-get", *own, "-q", "update")
        run("apt-get", *own, "-q", "source", name, cwd=path)
        source = next((child for child in path.glob(f"{name}-*") if child.is_dir()), None)
        if not source or source.name != f"{name}-{version}":
            raise Missing(f"{name} {version}; this Debian has {source and source.name}")
        source.rename(path / "source")
        source = path / "source"
        without = "ftp file ldap rtsp dict telnet tftp pop3 imap smb smtp gopher mqtt manual dependency-tracking shared"
        run("./configure", "-q", "--with-openssl", "--with-nghttp2", "--without-libpsl", "--without-zstd", "--without-brotli",
            "--without-librtmp", "--without-libssh2", "--without-libidn2", *(f"--disable-{part}" for part in without.split()),
            cwd=source)
        for part in ("lib", "src", "tests/server"):
            run("make", "-s", "-j2", "-C", part, cwd=source)
        for lists in ("sources", "lists"):
            shutil.rmtree(path / lists)
    return once(cached_name("debian", packages), fill)


INSTALLERS = {"npm": npm, "pypi": pypi, "maven": maven, "debian": debian_source, "crate": crate}
