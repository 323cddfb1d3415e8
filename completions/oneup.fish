# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_oneup_global_optspecs
    string join \n profile= config-dir= state-dir= no-input timeout= cacert= v/verbose q/quiet color= h/help V/version
end

function __fish_oneup_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_oneup_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_oneup_using_subcommand
    set -l cmd (__fish_oneup_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c oneup -n "__fish_oneup_needs_command" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_needs_command" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_needs_command" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_needs_command" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_needs_command" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_needs_command" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_needs_command" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_needs_command" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_needs_command" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_needs_command" -s V -l version -d 'Print version'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "login" -d 'Get a token, and remember the login as a profile'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "logout" -d 'Revoke what can be revoked, then forget the profile'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "status" -d 'List every profile, and what its token is worth; reads no secret'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "token" -d 'Print or inspect an access token'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "curl" -d 'Run curl with the access token'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "exec" -d 'Run a command with the access token in its environment'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "doctor" -d 'Check the set-up, and say how to fix it'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "sandbox" -d 'A stand-in for 1up\'s servers on loopback: try oneup without an account'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "man" -d 'Print the manual page of oneup or of one of its commands, in roff'
complete -c oneup -n "__fish_oneup_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -f -a "provider" -d 'Provider Access: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -f -a "p2p" -d 'Payer-to-Payer: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -f -a "patient" -d 'Patient Access: an authorization code from the health plan\'s login page'
complete -c oneup -n "__fish_oneup_using_subcommand login; and not __fish_seen_subcommand_from provider p2p patient help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l client-id -d 'The client id of the Dev Portal' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l client-secret-file -d 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l client-secret-command -d 'Read the client secret from a command\'s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]' -r -f -a "(__fish_complete_command)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l client-secret -d 'Refused: a secret in an argument is seen by every process of the machine' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l scope -d 'Space-separated scopes [default: the product\'s own]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l gateway -d 'The gateway that the realm stands behind [default: https://gateway.1up.health]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l realm -d 'The Keycloak realm [default: dev-portal]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l token-url -d 'The token endpoint, instead of what gateway, realm and plan give' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l fhir-base -d 'What `oneup curl /PATH` is joined to' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l auth-method -d 'Client authentication: in the body (1up\'s form), or in a Basic header [default: post]' -r -f -a "post\t'client_id and client_secret in the body'
basic\t'Form-encoded, then base64, in the Authorization header'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l store -d 'Where the client secret and the tokens are kept [default: auto]' -r -f -a "auto\t'The OS keyring; on Linux without one, the kernel keyring'
keyring\t'The OS keyring: Secret Service, Keychain, Credential Manager'
keyutils\t'The kernel keyring: gone at reboot (Linux)'
file\t'A file that only you can read, not encrypted'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l format -d 'How --no-store prints the token [default: raw]' -r -f -a "raw\t'The token'
header\t'`Authorization: Bearer TOKEN`'
json\t'Token, lifetime, expiry, scope, profile and product'
env\t'`ONEUP_TOKEN=TOKEN`'
export\t'`export ONEUP_TOKEN=\'TOKEN\'`'
fish\t'`set -gx ONEUP_TOKEN \'TOKEN\'`'
powershell\t'`$env:ONEUP_TOKEN = \'TOKEN\'`'
github\t'GitHub Actions: masked, and exported through $GITHUB_ENV'
azure\t'Azure Pipelines: a secret variable'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l client-secret-stdin -d 'Read the client secret from the first line of stdin'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l no-store -d 'Remember nothing: print the token to stdout'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from provider" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l client-id -d 'The client id of the Dev Portal' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l client-secret-file -d 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l client-secret-command -d 'Read the client secret from a command\'s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]' -r -f -a "(__fish_complete_command)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l client-secret -d 'Refused: a secret in an argument is seen by every process of the machine' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l scope -d 'Space-separated scopes [default: the product\'s own]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l gateway -d 'The gateway that the realm stands behind [default: https://gateway.1up.health]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l realm -d 'The Keycloak realm [default: dev-portal]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l token-url -d 'The token endpoint, instead of what gateway, realm and plan give' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l fhir-base -d 'What `oneup curl /PATH` is joined to' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l auth-method -d 'Client authentication: in the body (1up\'s form), or in a Basic header [default: post]' -r -f -a "post\t'client_id and client_secret in the body'
basic\t'Form-encoded, then base64, in the Authorization header'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l store -d 'Where the client secret and the tokens are kept [default: auto]' -r -f -a "auto\t'The OS keyring; on Linux without one, the kernel keyring'
keyring\t'The OS keyring: Secret Service, Keychain, Credential Manager'
keyutils\t'The kernel keyring: gone at reboot (Linux)'
file\t'A file that only you can read, not encrypted'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l format -d 'How --no-store prints the token [default: raw]' -r -f -a "raw\t'The token'
header\t'`Authorization: Bearer TOKEN`'
json\t'Token, lifetime, expiry, scope, profile and product'
env\t'`ONEUP_TOKEN=TOKEN`'
export\t'`export ONEUP_TOKEN=\'TOKEN\'`'
fish\t'`set -gx ONEUP_TOKEN \'TOKEN\'`'
powershell\t'`$env:ONEUP_TOKEN = \'TOKEN\'`'
github\t'GitHub Actions: masked, and exported through $GITHUB_ENV'
azure\t'Azure Pipelines: a secret variable'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l client-secret-stdin -d 'Read the client secret from the first line of stdin'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l no-store -d 'Remember nothing: print the token to stdout'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from p2p" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l client-id -d 'The client id of the Dev Portal' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l client-secret-file -d 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l client-secret-command -d 'Read the client secret from a command\'s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]' -r -f -a "(__fish_complete_command)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l client-secret -d 'Refused: a secret in an argument is seen by every process of the machine' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l scope -d 'Space-separated scopes [default: the product\'s own]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l gateway -d 'The gateway that the realm stands behind [default: https://gateway.1up.health]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l realm -d 'The Keycloak realm [default: dev-portal]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l token-url -d 'The token endpoint, instead of what gateway, realm and plan give' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l fhir-base -d 'What `oneup curl /PATH` is joined to' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l auth-method -d 'Client authentication: in the body (1up\'s form), or in a Basic header [default: post]' -r -f -a "post\t'client_id and client_secret in the body'
basic\t'Form-encoded, then base64, in the Authorization header'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l store -d 'Where the client secret and the tokens are kept [default: auto]' -r -f -a "auto\t'The OS keyring; on Linux without one, the kernel keyring'
keyring\t'The OS keyring: Secret Service, Keychain, Credential Manager'
keyutils\t'The kernel keyring: gone at reboot (Linux)'
file\t'A file that only you can read, not encrypted'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l format -d 'How --no-store prints the token [default: raw]' -r -f -a "raw\t'The token'
header\t'`Authorization: Bearer TOKEN`'
json\t'Token, lifetime, expiry, scope, profile and product'
env\t'`ONEUP_TOKEN=TOKEN`'
export\t'`export ONEUP_TOKEN=\'TOKEN\'`'
fish\t'`set -gx ONEUP_TOKEN \'TOKEN\'`'
powershell\t'`$env:ONEUP_TOKEN = \'TOKEN\'`'
github\t'GitHub Actions: masked, and exported through $GITHUB_ENV'
azure\t'Azure Pipelines: a secret variable'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l plan -d 'The health plan: HOST, HOST/SYSTEM, or a base URL [default: 1uphealthdemo.com/test]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l authorize-url -d 'The authorization endpoint, instead of what plan, gateway and realm give' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l aud -d 'Send `aud`: the FHIR server that the token is for' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l redirect-uri -d 'The redirect URI as it is registered, byte for byte [default: http://localhost:8484/callback]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l code -d 'Redeem an authorization code obtained elsewhere; `-` reads it from stdin' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l client-secret-stdin -d 'Read the client secret from the first line of stdin'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l no-store -d 'Remember nothing: print the token to stdout'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l no-pkce -d 'Leave PKCE out, for a server that refuses it'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l no-listen -d 'Don\'t listen for the redirect: paste the address that the browser ended on'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l no-browser -d 'Open no browser'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from patient" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from help" -f -a "provider" -d 'Provider Access: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from help" -f -a "p2p" -d 'Payer-to-Payer: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from help" -f -a "patient" -d 'Patient Access: an authorization code from the health plan\'s login page'
complete -c oneup -n "__fish_oneup_using_subcommand login; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l all -d 'Forget every profile'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l no-revoke -d 'Don\'t ask the server to revoke'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand status" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c oneup -n "__fish_oneup_using_subcommand status" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand status" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand status" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand status" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand status" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand status" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand status" -l check -d 'Exit 4 unless the profile has a live or renewable token'
complete -c oneup -n "__fish_oneup_using_subcommand status" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand status" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand status" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -f -a "show" -d 'Print a live access token, renewed first if it isn\'t'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -f -a "inspect" -d 'Say what a token is: for whom, from whom, how long, which scopes'
complete -c oneup -n "__fish_oneup_using_subcommand token; and not __fish_seen_subcommand_from show inspect help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l format -d 'How to print it' -r -f -a "raw\t'The token'
header\t'`Authorization: Bearer TOKEN`'
json\t'Token, lifetime, expiry, scope, profile and product'
env\t'`ONEUP_TOKEN=TOKEN`'
export\t'`export ONEUP_TOKEN=\'TOKEN\'`'
fish\t'`set -gx ONEUP_TOKEN \'TOKEN\'`'
powershell\t'`$env:ONEUP_TOKEN = \'TOKEN\'`'
github\t'GitHub Actions: masked, and exported through $GITHUB_ENV'
azure\t'Azure Pipelines: a secret variable'"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l min-ttl -d 'How much life the token must have left, instead of the margin (60 s or 10 % of its lifetime)' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l refresh -d 'Renew it even if it is live'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l verify -d 'Check the signature against the keys of the profile\'s realm'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l introspect -d 'Ask the profile\'s realm whether the token is active'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print a live access token, renewed first if it isn\'t'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Say what a token is: for whom, from whom, how long, which scopes'
complete -c oneup -n "__fish_oneup_using_subcommand token; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l allow-host -d 'Send the token to this host too; repeatable' -r
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l no-auth-elsewhere -d 'Fetch other hosts without the token instead of refusing'
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l help -d 'Print help'
complete -c oneup -n "__fish_oneup_using_subcommand curl" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand curl" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand curl" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l var -d 'The variable that holds the access token' -r
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l token-file -d 'Keep a private file fresh for as long as the command runs; ONEUP_TOKEN_FILE names it'
complete -c oneup -n "__fish_oneup_using_subcommand exec" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand exec" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand exec" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l format -d 'How to print it' -r -f -a "text\t'For people'
json\t'For programs'"
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -f -a "serve" -d 'Run it in the foreground; the base URL is the first line of stdout'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -f -a "run" -d 'Run a command in an environment that points at it'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -f -a "demo" -d 'The main job from end to end against it, narrated'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and not __fish_seen_subcommand_from serve run demo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l port -d 'The port on loopback; 0 is a free one' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l token-lifetime -d 'How long an access token lives' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l fail -d 'Script a fault, N times or for ever: invalid_client, invalid_grant, invalid_scope, 429, 503, html, slow, reset, no-expires-in, 401; repeatable' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l port -d 'The port on loopback; 0 is a free one' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l token-lifetime -d 'How long an access token lives' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l fail -d 'Script a fault, N times or for ever: invalid_client, invalid_grant, invalid_scope, 429, 503, html, slow, reset, no-expires-in, 401; repeatable' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "serve" -d 'Run it in the foreground; the base URL is the first line of stdout'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "run" -d 'Run a command in an environment that points at it'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "demo" -d 'The main job from end to end against it, narrated'
complete -c oneup -n "__fish_oneup_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand completions" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand completions" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand completions" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand man" -l profile -d 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]' -r
complete -c oneup -n "__fish_oneup_using_subcommand man" -l config-dir -d 'Where profiles are kept [default: the platform\'s config directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand man" -l state-dir -d 'Where locks, expiry notes and the `file` store are kept [default: the platform\'s state directory + /oneup]' -r -f -a "(__fish_complete_directories)"
complete -c oneup -n "__fish_oneup_using_subcommand man" -l timeout -d 'One deadline for a whole token request, retries included' -r
complete -c oneup -n "__fish_oneup_using_subcommand man" -l cacert -d 'PEM bundle added to the platform\'s trust store' -r -F
complete -c oneup -n "__fish_oneup_using_subcommand man" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a pipe'
never\t'Plain text'"
complete -c oneup -n "__fish_oneup_using_subcommand man" -l no-input -d 'Ask nothing; also on when CI is set or stdin is no terminal'
complete -c oneup -n "__fish_oneup_using_subcommand man" -s v -l verbose -d 'Trace each HTTP exchange on stderr, every secret masked'
complete -c oneup -n "__fish_oneup_using_subcommand man" -s q -l quiet -d 'Only errors on stderr'
complete -c oneup -n "__fish_oneup_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "login" -d 'Get a token, and remember the login as a profile'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "logout" -d 'Revoke what can be revoked, then forget the profile'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "status" -d 'List every profile, and what its token is worth; reads no secret'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "token" -d 'Print or inspect an access token'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "curl" -d 'Run curl with the access token'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "exec" -d 'Run a command with the access token in its environment'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "doctor" -d 'Check the set-up, and say how to fix it'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "sandbox" -d 'A stand-in for 1up\'s servers on loopback: try oneup without an account'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "man" -d 'Print the manual page of oneup or of one of its commands, in roff'
complete -c oneup -n "__fish_oneup_using_subcommand help; and not __fish_seen_subcommand_from login logout status token curl exec doctor sandbox completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from login" -f -a "provider" -d 'Provider Access: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from login" -f -a "p2p" -d 'Payer-to-Payer: client credentials'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from login" -f -a "patient" -d 'Patient Access: an authorization code from the health plan\'s login page'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "show" -d 'Print a live access token, renewed first if it isn\'t'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from token" -f -a "inspect" -d 'Say what a token is: for whom, from whom, how long, which scopes'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "serve" -d 'Run it in the foreground; the base URL is the first line of stdout'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "run" -d 'Run a command in an environment that points at it'
complete -c oneup -n "__fish_oneup_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "demo" -d 'The main job from end to end against it, narrated'
