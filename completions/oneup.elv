
use builtin;
use str;

set edit:completion:arg-completer[oneup] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'oneup'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'oneup'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand login 'Get a token, and remember the login as a profile'
            cand logout 'Revoke what can be revoked, then forget the profile'
            cand status 'List every profile, and what its token is worth; reads no secret'
            cand token 'Print or inspect an access token'
            cand curl 'Run curl with the access token'
            cand exec 'Run a command with the access token in its environment'
            cand doctor 'Check the set-up, and say how to fix it'
            cand sandbox 'A stand-in for 1up''s servers on loopback: try oneup without an account'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page of oneup or of one of its commands, in roff'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;login'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand provider 'Provider Access: client credentials'
            cand p2p 'Payer-to-Payer: client credentials'
            cand patient 'Patient Access: an authorization code from the health plan''s login page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;login;provider'= {
            cand --client-id 'The client id of the Dev Portal'
            cand --client-secret-file 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]'
            cand --client-secret-command 'Read the client secret from a command''s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]'
            cand --client-secret 'Refused: a secret in an argument is seen by every process of the machine'
            cand --scope 'Space-separated scopes [default: the product''s own]'
            cand --gateway 'The gateway that the realm stands behind [default: https://gateway.1up.health]'
            cand --realm 'The Keycloak realm [default: dev-portal]'
            cand --token-url 'The token endpoint, instead of what gateway, realm and plan give'
            cand --fhir-base 'What `oneup curl /PATH` is joined to'
            cand --auth-method 'Client authentication: in the body (1up''s form), or in a Basic header [default: post]'
            cand --store 'Where the client secret and the tokens are kept [default: auto]'
            cand --format 'How --no-store prints the token [default: raw]'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --client-secret-stdin 'Read the client secret from the first line of stdin'
            cand --no-store 'Remember nothing: print the token to stdout'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;login;p2p'= {
            cand --client-id 'The client id of the Dev Portal'
            cand --client-secret-file 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]'
            cand --client-secret-command 'Read the client secret from a command''s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]'
            cand --client-secret 'Refused: a secret in an argument is seen by every process of the machine'
            cand --scope 'Space-separated scopes [default: the product''s own]'
            cand --gateway 'The gateway that the realm stands behind [default: https://gateway.1up.health]'
            cand --realm 'The Keycloak realm [default: dev-portal]'
            cand --token-url 'The token endpoint, instead of what gateway, realm and plan give'
            cand --fhir-base 'What `oneup curl /PATH` is joined to'
            cand --auth-method 'Client authentication: in the body (1up''s form), or in a Basic header [default: post]'
            cand --store 'Where the client secret and the tokens are kept [default: auto]'
            cand --format 'How --no-store prints the token [default: raw]'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --client-secret-stdin 'Read the client secret from the first line of stdin'
            cand --no-store 'Remember nothing: print the token to stdout'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;login;patient'= {
            cand --client-id 'The client id of the Dev Portal'
            cand --client-secret-file 'Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]'
            cand --client-secret-command 'Read the client secret from a command''s first line, at each renewal again; nothing is stored [env: ONEUP_CLIENT_SECRET_COMMAND]'
            cand --client-secret 'Refused: a secret in an argument is seen by every process of the machine'
            cand --scope 'Space-separated scopes [default: the product''s own]'
            cand --gateway 'The gateway that the realm stands behind [default: https://gateway.1up.health]'
            cand --realm 'The Keycloak realm [default: dev-portal]'
            cand --token-url 'The token endpoint, instead of what gateway, realm and plan give'
            cand --fhir-base 'What `oneup curl /PATH` is joined to'
            cand --auth-method 'Client authentication: in the body (1up''s form), or in a Basic header [default: post]'
            cand --store 'Where the client secret and the tokens are kept [default: auto]'
            cand --format 'How --no-store prints the token [default: raw]'
            cand --plan 'The health plan: HOST, HOST/SYSTEM, or a base URL [default: 1uphealthdemo.com/test]'
            cand --authorize-url 'The authorization endpoint, instead of what plan, gateway and realm give'
            cand --aud 'Send `aud`: the FHIR server that the token is for'
            cand --redirect-uri 'The redirect URI as it is registered, byte for byte [default: http://localhost:8484/callback]'
            cand --code 'Redeem an authorization code obtained elsewhere; `-` reads it from stdin'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --client-secret-stdin 'Read the client secret from the first line of stdin'
            cand --no-store 'Remember nothing: print the token to stdout'
            cand --no-pkce 'Leave PKCE out, for a server that refuses it'
            cand --no-listen 'Don''t listen for the redirect: paste the address that the browser ended on'
            cand --no-browser 'Open no browser'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;login;help'= {
            cand provider 'Provider Access: client credentials'
            cand p2p 'Payer-to-Payer: client credentials'
            cand patient 'Patient Access: an authorization code from the health plan''s login page'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;login;help;provider'= {
        }
        &'oneup;login;help;p2p'= {
        }
        &'oneup;login;help;patient'= {
        }
        &'oneup;login;help;help'= {
        }
        &'oneup;logout'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --all 'Forget every profile'
            cand --no-revoke 'Don''t ask the server to revoke'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;status'= {
            cand --format 'How to print it'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --check 'Exit 4 unless the profile has a live or renewable token'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;token'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand show 'Print a live access token, renewed first if it isn''t'
            cand inspect 'Say what a token is: for whom, from whom, how long, which scopes'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;token;show'= {
            cand --format 'How to print it'
            cand --min-ttl 'How much life the token must have left, instead of the margin (60 s or 10 % of its lifetime)'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --refresh 'Renew it even if it is live'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;token;inspect'= {
            cand --format 'How to print it'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --verify 'Check the signature against the keys of the profile''s realm'
            cand --introspect 'Ask the profile''s realm whether the token is active'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;token;help'= {
            cand show 'Print a live access token, renewed first if it isn''t'
            cand inspect 'Say what a token is: for whom, from whom, how long, which scopes'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;token;help;show'= {
        }
        &'oneup;token;help;inspect'= {
        }
        &'oneup;token;help;help'= {
        }
        &'oneup;curl'= {
            cand --allow-host 'Send the token to this host too; repeatable'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-auth-elsewhere 'Fetch other hosts without the token instead of refusing'
            cand --help 'Print help'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
        }
        &'oneup;exec'= {
            cand --var 'The variable that holds the access token'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --token-file 'Keep a private file fresh for as long as the command runs; ONEUP_TOKEN_FILE names it'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;doctor'= {
            cand --format 'How to print it'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;sandbox'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand serve 'Run it in the foreground; the base URL is the first line of stdout'
            cand run 'Run a command in an environment that points at it'
            cand demo 'The main job from end to end against it, narrated'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;sandbox;serve'= {
            cand --port 'The port on loopback; 0 is a free one'
            cand --token-lifetime 'How long an access token lives'
            cand --fail 'Script a fault, N times or for ever: invalid_client, invalid_grant, invalid_scope, 429, 503, html, slow, reset, no-expires-in, 401; repeatable'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;sandbox;run'= {
            cand --port 'The port on loopback; 0 is a free one'
            cand --token-lifetime 'How long an access token lives'
            cand --fail 'Script a fault, N times or for ever: invalid_client, invalid_grant, invalid_scope, 429, 503, html, slow, reset, no-expires-in, 401; repeatable'
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;sandbox;demo'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;sandbox;help'= {
            cand serve 'Run it in the foreground; the base URL is the first line of stdout'
            cand run 'Run a command in an environment that points at it'
            cand demo 'The main job from end to end against it, narrated'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;sandbox;help;serve'= {
        }
        &'oneup;sandbox;help;run'= {
        }
        &'oneup;sandbox;help;demo'= {
        }
        &'oneup;sandbox;help;help'= {
        }
        &'oneup;completions'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;man'= {
            cand --profile 'The profile to use [env: ONEUP_PROFILE] [default: the only one there is]'
            cand --config-dir 'Where profiles are kept [default: the platform''s config directory + /oneup]'
            cand --state-dir 'Where locks, expiry notes and the `file` store are kept [default: the platform''s state directory + /oneup]'
            cand --timeout 'One deadline for a whole token request, retries included'
            cand --cacert 'PEM bundle added to the platform''s trust store'
            cand --color 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE]'
            cand --no-input 'Ask nothing; also on when CI is set or stdin is no terminal'
            cand -v 'Trace each HTTP exchange on stderr, every secret masked'
            cand --verbose 'Trace each HTTP exchange on stderr, every secret masked'
            cand -q 'Only errors on stderr'
            cand --quiet 'Only errors on stderr'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'oneup;help'= {
            cand login 'Get a token, and remember the login as a profile'
            cand logout 'Revoke what can be revoked, then forget the profile'
            cand status 'List every profile, and what its token is worth; reads no secret'
            cand token 'Print or inspect an access token'
            cand curl 'Run curl with the access token'
            cand exec 'Run a command with the access token in its environment'
            cand doctor 'Check the set-up, and say how to fix it'
            cand sandbox 'A stand-in for 1up''s servers on loopback: try oneup without an account'
            cand completions 'Print the completion script of a shell'
            cand man 'Print the manual page of oneup or of one of its commands, in roff'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'oneup;help;login'= {
            cand provider 'Provider Access: client credentials'
            cand p2p 'Payer-to-Payer: client credentials'
            cand patient 'Patient Access: an authorization code from the health plan''s login page'
        }
        &'oneup;help;login;provider'= {
        }
        &'oneup;help;login;p2p'= {
        }
        &'oneup;help;login;patient'= {
        }
        &'oneup;help;logout'= {
        }
        &'oneup;help;status'= {
        }
        &'oneup;help;token'= {
            cand show 'Print a live access token, renewed first if it isn''t'
            cand inspect 'Say what a token is: for whom, from whom, how long, which scopes'
        }
        &'oneup;help;token;show'= {
        }
        &'oneup;help;token;inspect'= {
        }
        &'oneup;help;curl'= {
        }
        &'oneup;help;exec'= {
        }
        &'oneup;help;doctor'= {
        }
        &'oneup;help;sandbox'= {
            cand serve 'Run it in the foreground; the base URL is the first line of stdout'
            cand run 'Run a command in an environment that points at it'
            cand demo 'The main job from end to end against it, narrated'
        }
        &'oneup;help;sandbox;serve'= {
        }
        &'oneup;help;sandbox;run'= {
        }
        &'oneup;help;sandbox;demo'= {
        }
        &'oneup;help;completions'= {
        }
        &'oneup;help;man'= {
        }
        &'oneup;help;help'= {
        }
    ]
    $completions[$command]
}
