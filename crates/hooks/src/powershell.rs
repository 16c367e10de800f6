//! PowerShell: the text that `cmdai init powershell` prints.
//!
//! A process stands beside the shell ([`crate::serve`]), on its own standard input and output.
//! PSReadLine's Enter asks it about the whole buffer and only then accepts the line; the prompt tells how
//! the line ended. Without PSReadLine (a script, a host without a terminal) nothing is hooked.

use crate::places::Paths;

/// For an interactive PowerShell: `cmdai init powershell | Out-String | Invoke-Expression` in `$PROFILE`.
pub fn init_script(paths: &Paths) -> String {
    SCRIPT.replace("@PROGRAM@", &quoted(&paths.program.to_string_lossy()))
}

/// A text as one word of PowerShell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const SCRIPT: &str = r#"# cmdai: shell integration for PowerShell. Made by `cmdai init powershell`.
if ((Get-Module -Name PSReadLine) -and -not $global:CmdaiHook) {
    $global:CmdaiHook = @{
        Program = @PROGRAM@
        Process = $null
        Failed  = 0
        Gone    = $false
        Turn    = 0
        Open    = $false
        Closed  = $false
        Prompt  = $function:prompt
    }

    # Starts the process that judges. Without one, lines run and are not recorded, and that is said.
    function global:Start-CmdaiProcess {
        $hook = $global:CmdaiHook
        try {
            $start = New-Object System.Diagnostics.ProcessStartInfo
            $start.FileName = $hook.Program
            $start.Arguments = "serve-shell --stdio --dialect powershell --shell $PID --shell-version ""powershell $($PSVersionTable.PSVersion)"" --failed $($hook.Failed)"
            $start.UseShellExecute = $false
            $start.RedirectStandardInput = $true
            $start.RedirectStandardOutput = $true
            $hook.Process = [System.Diagnostics.Process]::Start($start)
            return $true
        } catch {
            $hook.Gone = $true
            $rest = if ($hook.Closed) { 'the policy says fail closed, so nothing runs until it can; exit leaves the shell' } else { 'lines of this shell are neither judged nor recorded' }
            [Console]::Error.WriteLine("cmdai: $($hook.Program) cannot be started; $rest")
            return $false
        }
    }

    # The process is there; else a new one is started, and that it died is said.
    function global:Test-CmdaiProcess {
        $hook = $global:CmdaiHook
        if ($hook.Gone) { return $false }
        if ($hook.Process -and -not $hook.Process.HasExited) { return $true }
        $hook.Failed += 1
        [Console]::Error.WriteLine('cmdai: the process that judges lines ended; starting it again')
        return (Start-CmdaiProcess)
    }

    function global:Send-CmdaiLine([string[]] $Words) {
        $global:CmdaiHook.Process.StandardInput.Write(($Words -join ' ') + "`n")
        $global:CmdaiHook.Process.StandardInput.Flush()
    }

    # What the process wants to know: variables, functions and aliases of this shell.
    function global:Get-CmdaiKnown([string[]] $Asked) {
        $words = @()
        for ($at = 0; $at + 1 -lt $Asked.Count; $at += 2) {
            $name = [Uri]::UnescapeDataString($Asked[$at + 1])
            $told = $null
            if ($Asked[$at] -eq 'v') {
                $variable = Get-Variable -Name $name -Scope Global -ErrorAction Ignore
                $value = if ($variable) { $variable.Value } else { [Environment]::GetEnvironmentVariable($name) }
                if ($null -eq $value) { $words += 'u', $Asked[$at + 1], '' }
                elseif ($value -is [array]) {
                    $parts = @($value | ForEach-Object { [Uri]::EscapeDataString([string] $_) }) -join ' '
                    $words += 'l', $Asked[$at + 1], [Uri]::EscapeDataString($parts)
                }
                else { $words += 'v', $Asked[$at + 1], [Uri]::EscapeDataString([string] $value) }
            }
            elseif ($Asked[$at] -eq 'a') {
                $told = Get-Alias -Name $name -ErrorAction Ignore
                if ($told) { $words += 'a', $Asked[$at + 1], [Uri]::EscapeDataString([string] $told.Definition) }
                else { $words += 'm', $Asked[$at + 1], '' }
            }
            else {
                $told = Get-Command -Name $name -CommandType Function -ErrorAction Ignore
                if ($told) { $words += 'f', $Asked[$at + 1], [Uri]::EscapeDataString([string] $told.Definition) }
                else { $words += 'n', $Asked[$at + 1], '' }
            }
        }
        return $words
    }

    # Asks about a whole line. True where it may run.
    function global:Test-CmdaiLine([string] $Text) {
        $hook = $global:CmdaiHook
        # What cannot be judged must not run: then it is tried again with each line.
        if ($hook.Closed) { $hook.Gone = $false }
        foreach ($try in 1, 2) {
            if (-not (Test-CmdaiProcess)) { return (-not $hook.Closed) -or ($Text -match '^\s*exit(\s+\d{1,3})?\s*$') }
            $hook.Turn += 1
            $own = @()
            foreach ($match in [regex]::Matches($Text, '[^\s;|&()<>"''$`{}*?=#,]+')) {
                if (Get-Command -Name $match.Value -CommandType Function, Alias -ErrorAction Ignore) { $own += [Uri]::EscapeDataString($match.Value) }
            }
            $words = @('judge', $hook.Turn, [Uri]::EscapeDataString((Get-Location).ProviderPath), [Uri]::EscapeDataString($Text)) + $own
            try {
                Send-CmdaiLine $words
                while ($null -ne ($reply = $hook.Process.StandardOutput.ReadLine())) {
                    $parts = $reply.Split(' ')
                    if ($parts[0] -ne [string] $hook.Turn) { continue }
                    $message = if ($parts.Count -gt 3) { [Uri]::UnescapeDataString($parts[3]) } else { '' }
                    switch ($parts[1]) {
                        'run' { if ($message) { [Console]::Error.Write("`n" + $message) }; $hook.Open = $true; $hook.Closed = $parts[2] -eq '1'; return $true }
                        'stop' { [Console]::Error.Write("`n" + $message); return $false }
                        'ask' {
                            [Console]::Error.Write("`n" + $message + 'run it? [y/N] ')
                            $key = [Console]::ReadKey($true)
                            $answer = if ('y' -eq $key.KeyChar) { 'y' } else { 'n' }
                            [Console]::Error.WriteLine($answer)
                            Send-CmdaiLine @('answer', $hook.Turn, $answer)
                        }
                        'need' { Send-CmdaiLine (@('known', $hook.Turn) + (Get-CmdaiKnown $parts[2..($parts.Count - 1)])) }
                    }
                }
            } catch { continue }
        }
        [Console]::Error.WriteLine("`ncmdai: this line could not be judged and was not run; press Enter to try again")
        return $false
    }

    Set-PSReadLineKeyHandler -Key Enter -BriefDescription Cmdai -Description 'Judge the line, then run it' -ScriptBlock {
        $line = $null
        $cursor = $null
        [Microsoft.PowerShell.PSConsoleReadLine]::GetBufferState([ref] $line, [ref] $cursor)
        $tokens = $null
        $errors = $null
        [void] [System.Management.Automation.Language.Parser]::ParseInput($line, [ref] $tokens, [ref] $errors)
        # More of it will come, or there is nothing: PSReadLine knows what to do.
        $open = @($errors | Where-Object { $_.IncompleteInput }).Count -gt 0
        if ($open -or [string]::IsNullOrWhiteSpace($line) -or (Test-CmdaiLine $line)) {
            [Microsoft.PowerShell.PSConsoleReadLine]::AcceptLine()
        } else {
            [Microsoft.PowerShell.PSConsoleReadLine]::InvokePrompt()
        }
    }

    function global:prompt {
        $fine = $?
        $code = $global:LASTEXITCODE
        $hook = $global:CmdaiHook
        if ($hook.Open -and -not $hook.Gone -and $hook.Process -and -not $hook.Process.HasExited) {
            $hook.Open = $false
            $status = if ($fine) { 0 } elseif ($code) { $code } else { 1 }
            try { Send-CmdaiLine @('end', $hook.Turn, $status) } catch { $hook.Open = $false }
        }
        $global:LASTEXITCODE = $code
        & $hook.Prompt
    }

    [void] (Register-EngineEvent -SourceIdentifier PowerShell.Exiting -Action {
        $hook = $global:CmdaiHook
        if ($hook.Process -and -not $hook.Process.HasExited) { Send-CmdaiLine @('leave', '0', '0') }
    })
    [void] (Start-CmdaiProcess)
}
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_one_word() {
        let paths = Paths::of_program(std::path::Path::new("/opt/it's/cmdai"));
        let script = init_script(&paths);
        assert!(
            script.contains("Program = '/opt/it''s/cmdai'\n"),
            "{script}"
        );
        assert!(!script.contains("@PROGRAM@"));
    }
}
