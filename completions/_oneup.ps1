# PowerShell completion for oneup. Nothing of the unfinished line is run, and candidates are quoted before they are
# inserted: a file or profile name is never code.
Register-ArgumentCompleter -Native -CommandName oneup -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text.Trim([char[]]"'`"") })
    if ($wordToComplete -eq '') {
        $words += ''
    }

    $before = $env:COMPLETE
    $env:COMPLETE = 'powershell'
    $candidates = & oneup -- @words
    if ($null -eq $before) {
        Remove-Item Env:\COMPLETE
    } else {
        $env:COMPLETE = $before
    }

    $candidates | Where-Object { $_ } | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) {
            $help = $value
        }
        $quoted = $value
        if ($value -notmatch '^[A-Za-z0-9_./\\:+=-]+$') {
            $content = [System.Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value)
            $quoted = "'$content'"
        }
        [System.Management.Automation.CompletionResult]::new($quoted, $value, 'ParameterValue', $help)
    }
}
