//! Names of the MITRE ATT&CK techniques that rules refer to (Enterprise matrix).

/// Identifier and name, sorted by identifier. A sub-technique's name stands alone; its parent is in
/// the table too.
const TECHNIQUES: &[(&str, &str)] = &[
    ("T1003", "OS Credential Dumping"),
    ("T1003.007", "Proc Filesystem"),
    ("T1003.008", "/etc/passwd and /etc/shadow"),
    ("T1005", "Data from Local System"),
    ("T1014", "Rootkit"),
    ("T1016", "System Network Configuration Discovery"),
    ("T1021", "Remote Services"),
    ("T1021.004", "SSH"),
    ("T1027", "Obfuscated Files or Information"),
    ("T1030", "Data Transfer Size Limits"),
    ("T1033", "System Owner/User Discovery"),
    ("T1036", "Masquerading"),
    ("T1037", "Boot or Logon Initialization Scripts"),
    ("T1037.004", "RC Scripts"),
    ("T1040", "Network Sniffing"),
    ("T1041", "Exfiltration Over C2 Channel"),
    ("T1046", "Network Service Discovery"),
    ("T1048", "Exfiltration Over Alternative Protocol"),
    ("T1048.003", "Exfiltration Over Unencrypted Non-C2 Protocol"),
    ("T1053", "Scheduled Task/Job"),
    ("T1053.002", "At"),
    ("T1053.003", "Cron"),
    ("T1053.005", "Scheduled Task"),
    ("T1053.006", "Systemd Timers"),
    ("T1053.007", "Container Orchestration Job"),
    ("T1055", "Process Injection"),
    ("T1055.008", "Ptrace System Calls"),
    ("T1056", "Input Capture"),
    ("T1056.001", "Keylogging"),
    ("T1057", "Process Discovery"),
    ("T1059", "Command and Scripting Interpreter"),
    ("T1059.001", "PowerShell"),
    ("T1059.002", "AppleScript"),
    ("T1059.003", "Windows Command Shell"),
    ("T1059.004", "Unix Shell"),
    ("T1059.006", "Python"),
    ("T1059.007", "JavaScript"),
    ("T1059.009", "Cloud API"),
    ("T1068", "Exploitation for Privilege Escalation"),
    ("T1070", "Indicator Removal"),
    ("T1070.001", "Clear Windows Event Logs"),
    ("T1070.002", "Clear Linux or Mac System Logs"),
    ("T1070.003", "Clear Command History"),
    ("T1070.004", "File Deletion"),
    ("T1070.006", "Timestomp"),
    ("T1071", "Application Layer Protocol"),
    ("T1071.004", "DNS"),
    ("T1072", "Software Deployment Tools"),
    ("T1078", "Valid Accounts"),
    ("T1078.003", "Local Accounts"),
    ("T1078.004", "Cloud Accounts"),
    ("T1082", "System Information Discovery"),
    ("T1083", "File and Directory Discovery"),
    ("T1087", "Account Discovery"),
    ("T1090", "Proxy"),
    ("T1095", "Non-Application Layer Protocol"),
    ("T1098", "Account Manipulation"),
    ("T1098.001", "Additional Cloud Credentials"),
    ("T1098.003", "Additional Cloud Roles"),
    ("T1098.004", "SSH Authorized Keys"),
    ("T1098.006", "Additional Container Cluster Roles"),
    ("T1098.007", "Additional Local or Domain Groups"),
    ("T1105", "Ingress Tool Transfer"),
    ("T1110", "Brute Force"),
    ("T1110.002", "Password Cracking"),
    ("T1112", "Modify Registry"),
    ("T1113", "Screen Capture"),
    ("T1115", "Clipboard Data"),
    ("T1132", "Data Encoding"),
    ("T1133", "External Remote Services"),
    ("T1134", "Access Token Manipulation"),
    ("T1136", "Create Account"),
    ("T1136.001", "Local Account"),
    ("T1136.002", "Domain Account"),
    ("T1136.003", "Cloud Account"),
    ("T1140", "Deobfuscate/Decode Files or Information"),
    ("T1176", "Software Extensions"),
    ("T1190", "Exploit Public-Facing Application"),
    ("T1195", "Supply Chain Compromise"),
    (
        "T1195.001",
        "Compromise Software Dependencies and Development Tools",
    ),
    ("T1195.002", "Compromise Software Supply Chain"),
    ("T1197", "BITS Jobs"),
    ("T1199", "Trusted Relationship"),
    ("T1202", "Indirect Command Execution"),
    ("T1204", "User Execution"),
    ("T1204.002", "Malicious File"),
    ("T1218", "System Binary Proxy Execution"),
    ("T1222", "File and Directory Permissions Modification"),
    (
        "T1222.001",
        "Windows File and Directory Permissions Modification",
    ),
    (
        "T1222.002",
        "Linux and Mac File and Directory Permissions Modification",
    ),
    ("T1485", "Data Destruction"),
    ("T1485.001", "Lifecycle-Triggered Deletion"),
    ("T1486", "Data Encrypted for Impact"),
    ("T1489", "Service Stop"),
    ("T1490", "Inhibit System Recovery"),
    ("T1491", "Defacement"),
    ("T1495", "Firmware Corruption"),
    ("T1496", "Resource Hijacking"),
    ("T1496.001", "Compute Hijacking"),
    ("T1498", "Network Denial of Service"),
    ("T1499", "Endpoint Denial of Service"),
    ("T1499.001", "OS Exhaustion Flood"),
    ("T1499.004", "Application or System Exploitation"),
    ("T1505", "Server Software Component"),
    ("T1525", "Implant Internal Image"),
    ("T1528", "Steal Application Access Token"),
    ("T1529", "System Shutdown/Reboot"),
    ("T1530", "Data from Cloud Storage"),
    ("T1531", "Account Access Removal"),
    ("T1537", "Transfer Data to Cloud Account"),
    ("T1539", "Steal Web Session Cookie"),
    ("T1542", "Pre-OS Boot"),
    ("T1543", "Create or Modify System Process"),
    ("T1543.001", "Launch Agent"),
    ("T1543.002", "Systemd Service"),
    ("T1543.003", "Windows Service"),
    ("T1543.004", "Launch Daemon"),
    ("T1543.005", "Container Service"),
    ("T1546", "Event Triggered Execution"),
    ("T1546.004", "Unix Shell Configuration Modification"),
    ("T1546.005", "Trap"),
    ("T1546.013", "PowerShell Profile"),
    ("T1546.016", "Installer Packages"),
    ("T1547", "Boot or Logon Autostart Execution"),
    ("T1547.001", "Registry Run Keys / Startup Folder"),
    ("T1547.006", "Kernel Modules and Extensions"),
    ("T1547.013", "XDG Autostart Entries"),
    ("T1548", "Abuse Elevation Control Mechanism"),
    ("T1548.001", "Setuid and Setgid"),
    ("T1548.003", "Sudo and Sudo Caching"),
    ("T1548.005", "Temporary Elevated Cloud Access"),
    ("T1550", "Use Alternate Authentication Material"),
    ("T1550.001", "Application Access Token"),
    ("T1552", "Unsecured Credentials"),
    ("T1552.001", "Credentials In Files"),
    ("T1552.003", "Bash History"),
    ("T1552.004", "Private Keys"),
    ("T1552.005", "Cloud Instance Metadata API"),
    ("T1552.007", "Container API"),
    ("T1553", "Subvert Trust Controls"),
    ("T1553.004", "Install Root Certificate"),
    ("T1555", "Credentials from Password Stores"),
    ("T1555.001", "Keychain"),
    ("T1555.003", "Credentials from Web Browsers"),
    ("T1555.006", "Cloud Secrets Management Stores"),
    ("T1556", "Modify Authentication Process"),
    ("T1556.003", "Pluggable Authentication Modules"),
    ("T1557", "Adversary-in-the-Middle"),
    ("T1558", "Steal or Forge Kerberos Tickets"),
    ("T1560", "Archive Collected Data"),
    ("T1561", "Disk Wipe"),
    ("T1561.001", "Disk Content Wipe"),
    ("T1561.002", "Disk Structure Wipe"),
    ("T1562", "Impair Defenses"),
    ("T1562.001", "Disable or Modify Tools"),
    ("T1562.002", "Disable Windows Event Logging"),
    ("T1562.003", "Impair Command History Logging"),
    ("T1562.004", "Disable or Modify System Firewall"),
    ("T1562.006", "Indicator Blocking"),
    ("T1562.007", "Disable or Modify Cloud Firewall"),
    ("T1562.008", "Disable or Modify Cloud Logs"),
    ("T1562.012", "Disable or Modify Linux Audit System"),
    ("T1563", "Remote Service Session Hijacking"),
    ("T1563.001", "SSH Hijacking"),
    ("T1564", "Hide Artifacts"),
    ("T1564.001", "Hidden Files and Directories"),
    ("T1565", "Data Manipulation"),
    ("T1565.001", "Stored Data Manipulation"),
    ("T1567", "Exfiltration Over Web Service"),
    ("T1567.001", "Exfiltration to Code Repository"),
    ("T1567.002", "Exfiltration to Cloud Storage"),
    ("T1567.003", "Exfiltration to Text Storage Sites"),
    ("T1569", "System Services"),
    ("T1569.002", "Service Execution"),
    ("T1570", "Lateral Tool Transfer"),
    ("T1571", "Non-Standard Port"),
    ("T1572", "Protocol Tunneling"),
    ("T1573", "Encrypted Channel"),
    ("T1574", "Hijack Execution Flow"),
    ("T1574.004", "Dylib Hijacking"),
    ("T1574.006", "Dynamic Linker Hijacking"),
    (
        "T1574.007",
        "Path Interception by PATH Environment Variable",
    ),
    ("T1578", "Modify Cloud Compute Infrastructure"),
    ("T1578.003", "Delete Cloud Instance"),
    ("T1580", "Cloud Infrastructure Discovery"),
    ("T1601", "Modify System Image"),
    ("T1609", "Container Administration Command"),
    ("T1610", "Deploy Container"),
    ("T1611", "Escape to Host"),
    ("T1613", "Container and Resource Discovery"),
    ("T1619", "Cloud Storage Object Discovery"),
    ("T1620", "Reflective Code Loading"),
    ("T1648", "Serverless Execution"),
    ("T1651", "Cloud Administration Command"),
    ("T1657", "Financial Theft"),
];

/// The name of a technique by its identifier, such as `T1485`, with or without `ATT&CK:` in front.
pub fn technique(id: &str) -> Option<&'static str> {
    let id = id.strip_prefix("ATT&CK:").unwrap_or(id);
    let at = TECHNIQUES
        .binary_search_by(|(known, _)| (*known).cmp(id))
        .ok()?;
    TECHNIQUES.get(at).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_well_formed_and_with_their_parents() {
        assert!(TECHNIQUES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (id, name) in TECHNIQUES {
            let (base, sub) = id
                .split_once('.')
                .map_or((*id, None), |(base, sub)| (base, Some(sub)));
            let digits =
                |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
            assert!(
                base.strip_prefix('T').is_some_and(|rest| digits(rest, 4)),
                "{id}"
            );
            assert!(
                sub.is_none_or(|sub| digits(sub, 3) && technique(base).is_some()),
                "{id}"
            );
            assert!(!name.is_empty() && name.trim() == *name, "{id}");
        }
    }

    #[test]
    fn every_rule_names_techniques_that_exist() {
        for rule in crate::builtin_rules() {
            for control in rule.controls {
                if let Some(id) = control.strip_prefix("ATT&CK:") {
                    assert!(
                        technique(id).is_some(),
                        "{}: {id} is not in the table of techniques",
                        rule.id
                    );
                }
            }
        }
    }

    /// Reasons are said in the middle of a sentence.
    #[test]
    fn reasons_are_fragments() {
        for rule in crate::builtin_rules() {
            let first = rule.reason.chars().next().unwrap();
            assert!(
                !first.is_uppercase() && !rule.reason.ends_with(['.', '!']),
                "{}: {}",
                rule.id,
                rule.reason
            );
            assert!(
                rule.reason.split_whitespace().count() >= 2,
                "{}: {}",
                rule.id,
                rule.reason
            );
        }
    }
}
