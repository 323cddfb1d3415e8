# The words go to oneup as they are typed: nothing that stands on the unfinished line is run.
Register-ArgumentCompleter -Native -CommandName oneup -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -eq '') {
        $words += ''
    }

    $before = $env:COMPLETE
    $env:COMPLETE = 'powershell'
    $offered = & oneup -- @words
    if ($null -eq $before) {
        Remove-Item Env:\COMPLETE
    } else {
        $env:COMPLETE = $before
    }

    $offered | ForEach-Object {
        $value, $help = $_ -split "`t", 2
        if (-not $help) {
            $help = $value
        }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
    }
}
