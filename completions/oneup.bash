# bash completion for oneup. Candidates are quoted before they are inserted: a file or profile name is never code.
_oneup() {
    local word=$2 quote='' rest candidate
    local -a words=("${COMP_WORDS[@]}")
    case ${COMP_WORDS[COMP_CWORD]} in
        \"*) quote=\" ;;
        \'*) quote=\' ;;
    esac
    word=${word#"$quote"}
    if [[ $quote != \' ]]; then
        # Removes the backslashes of a word that was completed before.
        rest=$word word=''
        while [[ $rest == *\\?* ]]; do
            word+=${rest%%\\*}
            rest=${rest#*\\}
            word+=${rest:0:1}
            rest=${rest:1}
        done
        word+=$rest
    fi
    [[ ${BASH_VERSINFO[0]} -ge 4 ]] && words[COMP_CWORD]=$word

    COMPREPLY=()
    while IFS= read -r candidate || [[ -n $candidate ]]; do
        case $quote in
            \')
                candidate=${candidate//\'/\'\\\'\'}
                ;;
            \")
                # History expansion has no quotes here.
                [[ $candidate == *!* ]] && continue
                candidate=${candidate//\\/\\\\}
                candidate=${candidate//\"/\\\"}
                candidate=${candidate//\$/\\\$}
                candidate=${candidate//\`/\\\`}
                ;;
            *)
                if [[ $word == '~/'* && $candidate == '~/'?* ]]; then
                    printf -v candidate '~/%q' "${candidate:2}"
                elif [[ -n $candidate ]]; then
                    printf -v candidate '%q' "$candidate"
                fi
                ;;
        esac
        COMPREPLY+=("$candidate")
    done < <(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$COMP_CWORD COMPLETE=bash oneup -- "${words[@]}" 2>/dev/null)

    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 ]]; then
    complete -o nosort -F _oneup oneup
else
    complete -F _oneup oneup
fi
