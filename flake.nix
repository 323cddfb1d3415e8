# nix run .#oneup -- sandbox demo
# Tried: `nix-instantiate --parse` reads it. It was never built: nixpkgs could not be reached where it was written.
{
  description = "OAuth 2.0 access tokens for 1upHealth's FHIR APIs";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
      manifest = (builtins.fromTOML (builtins.readFile ./Cargo.toml)).package;
    in
    {
      packages = each (pkgs: rec {
        default = oneup;
        oneup = pkgs.rustPlatform.buildRustPackage {
          pname = "oneup";
          inherit (manifest) version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          # CI runs the tests, with the real peers that a build has not.
          doCheck = false;
          postInstall = ''
            $out/bin/oneup man --dir man1
            installManPage man1/*.1
            installShellCompletion --cmd oneup \
              --bash completions/oneup.bash --fish completions/oneup.fish --zsh completions/_oneup
          '';
          meta = {
            inherit (manifest) description;
            license = pkgs.lib.licenses.mit;
            mainProgram = "oneup";
          };
        };
      });
    };
}
