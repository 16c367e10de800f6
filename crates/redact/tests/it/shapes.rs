//! Each shape with many generated secrets. Tokens are put together at run time, so that nothing
//! that looks like one stands in the source.

use cmdai_redact::redact;

/// A small generator of numbers with a fixed seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        *from
            .iter()
            .cycle()
            .nth(self.next() as usize % from.len())
            .expect("not empty")
    }

    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| self.pick(&alphabet)).collect()
    }

    /// A password that people would choose, without shell characters.
    pub(crate) fn password(&mut self) -> String {
        const WORDS: [&str; 8] = [
            "hunter",
            "Sommer",
            "dragon",
            "Tr0ub4dor",
            "letmein",
            "monkey",
            "correcthorse",
            "Pa55",
        ];
        let word = self.pick(&WORDS);
        let tail_length = 3 + self.next() as usize % 6;
        format!("{word}{}", self.text("abcdefgh0123456789.+_", tail_length))
    }
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";

/// No piece of six characters of the secret stands in the text.
pub(crate) fn survives(secret: &str, text: &str) -> bool {
    let chars: Vec<char> = secret.chars().collect();
    chars
        .windows(chars.len().min(6))
        .any(|piece| text.contains(&piece.iter().collect::<String>()))
}

/// Lines with a password at `{}`.
const LINES: &[&str] = &[
    "mysql -u root -p{} shop",
    "mysql -uroot -p'{}' -h db -e 'select 1'",
    "mysqldump --password={} shop > dump.sql",
    "mysqladmin -u root password {}",
    "MYSQL_PWD={} mysql -u root",
    "PGPASSWORD={} psql -h db -U app",
    "PGPASSWORD='{}' pg_dump shop | gzip > a.gz",
    "export DB_PASSWORD={}",
    "export DB_PASSWORD=\"{}\"; ./run.sh",
    "env REDIS_PASSWORD={} ./server --port 80",
    "sshpass -p {} ssh root@host uptime",
    "sshpass -p'{}' scp a root@host:",
    "sshpass -p \"{}\" ssh -p 2222 root@host",
    "redis-cli -h cache -a {} ping",
    "redis-cli -a '{}' --scan",
    "redis-cli AUTH {}",
    "redis-cli config set requirepass {}",
    "ldapsearch -x -D cn=admin -w {} -b dc=x",
    "ldappasswd -D cn=admin -w admin -s {} uid=x",
    "curl -u bob:{} https://x.example/a",
    "curl -sSu bob:{} https://x.example/a",
    "curl -ubob:{} https://x.example/a",
    "curl --user 'bob:{}' https://x.example/a",
    "curl https://bob:{}@x.example/a",
    "curl -d 'user=bob&password={}' https://x.example/login",
    "curl -d '{\"user\":\"bob\",\"password\":\"{}\"}' https://x.example/login",
    "curl -d \"{\\\"password\\\": \\\"{}\\\"}\" https://x.example/login",
    "wget --user=bob --password={} https://x.example/a",
    "wget --http-password {} https://x.example/a",
    "http -a bob:{} GET x.example",
    "docker login -u bob -p {} registry.example",
    "docker login --username bob --password {} registry.example",
    "echo {} | docker login -u bob --password-stdin registry.example",
    "echo '{}' | sudo -S apt-get update",
    "echo \"{}\" | sudo -kS ls",
    "printf '%s\\n' '{}' | sudo -S -u root ls",
    "echo {} | tr -d x | sudo --stdin ls",
    "sudo -S ls <<< {}",
    "sudo -S ls <<EOF\n{}\nEOF",
    "echo root:{} | chpasswd",
    "chpasswd <<EOF\nbob:{}\nEOF",
    "echo {} | passwd --stdin bob",
    "echo -n {} | cryptsetup luksOpen /dev/sdb1 x -",
    "echo {} | gpg --batch --passphrase-fd 0 -d a.gpg",
    "echo {} | su - root -c id",
    "gpg --batch --passphrase {} -c file",
    "openssl enc -aes-256-cbc -in a -out b -pass pass:{}",
    "openssl rsa -in a.pem -passin pass:{}",
    "openssl enc -aes-256-cbc -k {} -in a",
    "openssl passwd -6 {}",
    "htpasswd -b .htpasswd bob {}",
    "htpasswd -nbB bob {}",
    "smbclient //srv/share -U bob%{}",
    "smbclient //srv/share -U 'DOM/bob%{}' -c ls",
    "aws configure set aws_secret_access_key {}",
    "npm config set //registry.example/:_authToken {}",
    "git clone https://bob:{}@git.example/a.git",
    "git remote set-url origin https://bob:{}@git.example/a.git",
    "psql postgresql://app:{}@db:5432/shop",
    "psql 'host=db user=app password={}'",
    "psql -c \"ALTER USER app WITH PASSWORD '{}'\"",
    "mysql -e \"CREATE USER a IDENTIFIED BY '{}'\"",
    "mongosh 'mongodb://root:{}@db/admin'",
    "mongodump -u root -p {} --db shop",
    "rabbitmqctl add_user bob {}",
    "zip -r -P {} a.zip dir",
    "unzip -P {} a.zip",
    "7z a -p{} a.7z dir",
    "ipmitool -H bmc -U admin -P {} power status",
    "sqlcmd -S srv -U sa -P {} -Q 'select 1'",
    "sqlplus scott/{}@orcl",
    "lftp -u bob,{} ftp.example",
    "keytool -list -keystore a.jks -storepass {}",
    "java -Djavax.net.ssl.keyStorePassword={} -jar a.jar",
    "kubectl create secret generic x --from-literal=password={}",
    "kubectl create secret docker-registry r --docker-password={}",
    "vault kv put secret/x value={}",
    "vault login {}",
    "gh secret set NAME --body {}",
    "cargo login {}",
    "mosquitto_pub -h h -u bob -P {} -t a -m b",
    "xfreerdp /u:bob /p:{} /v:host",
    "nmcli device wifi connect home password {}",
    "wpa_passphrase home {}",
    "ssh-keygen -t ed25519 -N {} -f key",
    "useradd -m -p {} bob",
    "net use z: \\\\srv\\share {} /user:bob",
    "docker exec -it db mysql -uroot -p{} shop",
    "kubectl exec db -- mysql -uroot -p{} -e 'show tables'",
    "ssh host 'mysql -uroot -p{} shop'",
    "bash -c \"mysql -uroot -p{} shop\"",
    "sudo sh -c 'echo root:{} | chpasswd'",
    "x=$(mysql -p{} -e 'select 1')",
    "cat > .env <<EOF\nAPI_SECRET={}\nDEBUG=1\nEOF",
    "cat > c.yaml <<'EOF'\ndatabase:\n  password: {}\nEOF",
    "ansible-playbook a.yml -e 'ansible_become_pass={}'",
    "terraform apply -var 'db_password={}'",
    "az login -u bob -p {}",
    "helm registry login -u bob -p {} r.example",
    "skopeo copy --src-creds bob:{} docker://a docker://b",
    "mount -t cifs //srv/a /mnt -o username=bob,password={}",
    "curl 'https://x.example/a?access_token={}&page=2'",
    "curl -H 'X-Api-Key: {}' https://x.example",
    "curl -H \"X-Auth-Token: {}\" https://x.example",
    "curl -H 'Cookie: session={}; theme=dark' https://x.example",
    "curl -b 'sid={}' https://x.example",
    "curl -H 'Authorization: Bearer {}' https://x.example",
    "curl -H \"Authorization: Basic {}\" https://x.example",
    "http x.example 'Authorization: Token {}'",
    "set -gx GITHUB_TOKEN {}",
    "tool --password {} --verbose",
    "tool --api-key={} --verbose",
    "tool --db-password '{}'",
    "secretsdump.py corp/bob:{}@10.0.0.5",
    "ConvertTo-SecureString {} -AsPlainText -Force",
    "twine upload -u bob -p {} dist/x.whl",
    "etcdctl --user root:{} get a",
    "pdftk a.pdf output b.pdf user_pw {}",
    "security add-generic-password -a bob -s svc -w {}",
    "mysql --password {}1a -h db",
    "docker-compose run -e SECRET_KEY_BASE={} web",
    "yes {} | passwd bob",
    "az sql server create -u bob -p {}",
    "mount -t cifs -o user=a,pass={} //a/b /m",
    "schtasks /create /ru bob /rp {}",
    "psexec -u bob -p {} cmd",
    "http x Authorization:\"Bearer {}\"",
    "curl -d '{\"Authorization\": \"Bearer {}\"}' u",
    "Invoke-RestMethod -Headers @{Authorization=\"Bearer {}\"}",
    "consul kv put db/password {}",
    "wpa_cli set_network 0 psk {}",
    "ngrok authtoken {}",
    "snyk auth {}",
    "echo 'machine x login y password {}' >> ~/.netrc",
    "PW={} ./run",
    "mysql -e \"SET PASSWORD FOR 'bob'@'h' = '{}'\"",
    "mysql -e \"ALTER USER 'r'@'l' IDENTIFIED WITH mysql_native_password BY '{}'\"",
    "echo mysql ok; PASSWORD={} ; echo {}",
];

#[test]
fn every_command_line_shape() {
    let mut dice = Dice(7);
    let mut missed = Vec::new();
    for line in LINES {
        let misses: Vec<String> = (0..300)
            .filter_map(|_| {
                let secret = dice.password();
                let text = line.replace("{}", &secret);
                let out = redact(&text);
                survives(&secret, &out).then(|| format!("{text}  =>  {out}"))
            })
            .collect();
        if let Some(first) = misses.first() {
            missed.push(format!("{}/300: {first}", misses.len()));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {} shapes:\n{}",
        missed.len(),
        LINES.len(),
        missed.join("\n")
    );
}

fn tokens(dice: &mut Dice) -> Vec<String> {
    let segment = |dice: &mut Dice, length| dice.text(ALNUM, length);
    let with = |prefix: &[&str], rest: String| format!("{}{rest}", prefix.concat());
    vec![
        with(&["AK", "IA"], format!("2{}Z7", dice.text(UPPER, 13))),
        with(&["gh", "p_"], segment(dice, 36)),
        with(
            &["github", "_pat_"],
            format!("{}_{}", segment(dice, 22), segment(dice, 59)),
        ),
        with(&["gl", "pat-"], segment(dice, 20)),
        with(
            &["xo", "xb-"],
            format!(
                "{}-{}-{}",
                dice.text("0123456789", 12),
                dice.text("0123456789", 12),
                segment(dice, 24)
            ),
        ),
        with(
            &["sk", "-"],
            format!("{}1a2{}", segment(dice, 20), segment(dice, 20)),
        ),
        with(&["sk", "-ant-"], format!("api03-{}", segment(dice, 90))),
        with(&["sk", "_live_"], segment(dice, 24)),
        with(&["AI", "za"], segment(dice, 35)),
        with(&["ya", "29."], segment(dice, 60)),
        with(&["npm", "_"], segment(dice, 36)),
        with(&["pypi", "-AgE"], segment(dice, 80)),
        with(
            &["S", "G."],
            format!("1{}.2{}", segment(dice, 21), segment(dice, 42)),
        ),
        with(&["hf", "_"], format!("a1{}b2", segment(dice, 32))),
        with(&["dop", "_v1_"], dice.text(HEX, 64)),
        with(
            &["ey", "J"],
            format!(
                "h1{}.eyJz2{}.{}",
                segment(dice, 30),
                segment(dice, 40),
                segment(dice, 43)
            ),
        ),
        with(&["hv", "s."], format!("a1{}2", segment(dice, 90))),
        with(&["dckr", "_pat_"], segment(dice, 27)),
    ]
}

#[test]
fn every_vendor_token_in_every_place() {
    let mut dice = Dice(11);
    for _ in 0..40 {
        for token in tokens(&mut dice) {
            for place in [
                "tool {}",
                "x='{}'",
                "curl -H \"A: {}\" u",
                "echo {} >> f",
                "git clone https://{}@git.example/a",
                "a {}, b",
                "printf \"{}\\n\"",
            ] {
                let out = redact(&place.replace("{}", &token)).into_owned();
                assert!(!survives(&token, &out), "{token} in {place}: {out}");
            }
        }
    }
}

#[test]
fn private_keys() {
    let mut dice = Dice(3);
    let lines: Vec<String> = (0..5).map(|_| dice.text(ALNUM, 64)).collect();
    for label in ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY"] {
        for joint in ["\n", "\\n"] {
            let text = format!(
                "cat > k <<EOF\n-----BEGIN {label}-----{joint}{}{joint}-----END {label}-----\nEOF",
                lines.join(joint)
            );
            let out = redact(&text);
            for line in &lines {
                assert!(!survives(line, &out), "{out}");
            }
            assert!(out.contains("-----END"), "{out}");
        }
        let open = format!("echo '-----BEGIN {label}-----\n{}", lines.join("\n"));
        assert!(!survives(&lines[2], &redact(&open)));
    }
    let public = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----";
    assert_eq!(redact(public), public);
}

/// Adds the check digit.
fn card(start: &str) -> String {
    (0..10)
        .map(|digit| format!("{start}{digit}"))
        .find(|number| {
            let sum: u32 = number
                .bytes()
                .rev()
                .enumerate()
                .map(|(at, byte)| {
                    let digit = u32::from(byte - b'0');
                    if at % 2 == 0 {
                        digit
                    } else if digit > 4 {
                        digit * 2 - 9
                    } else {
                        digit * 2
                    }
                })
                .sum();
            sum.is_multiple_of(10)
        })
        .unwrap_or_default()
}

#[test]
fn cards_and_social_security_numbers() {
    let mut dice = Dice(5);
    for _ in 0..300 {
        let visa = card(&format!("4{}", dice.text("0123456789", 14)));
        let amex = card(&format!("37{}", dice.text("0123456789", 12)));
        let spaced = [&visa[..4], &visa[4..8], &visa[8..12], &visa[12..]].join(" ");
        let dashed = [&amex[..4], &amex[4..10], &amex[10..]].join("-");
        for number in [visa, amex, spaced, dashed] {
            for place in [
                "echo {}",
                "curl -d 'card={}' u",
                "grep \"{}\" log",
                "x {}, y",
            ] {
                let out = redact(&place.replace("{}", &number)).into_owned();
                assert!(!survives(&number, &out), "{number}: {out}");
            }
        }
        let ssn = format!(
            "{:03}-{:02}-{:04}",
            100 + dice.next() % 500,
            1 + dice.next() % 99,
            1 + dice.next() % 9999
        );
        assert!(!redact(&format!("grep {ssn} people.csv")).contains(&ssn));
    }
    for other in [
        "echo 4111111111111112",
        "echo 1700000000000",
        "echo 000-12-3456",
        "date +%s 1732320000",
        "touch 2024-01-02-1234",
    ] {
        assert_eq!(redact(other), other);
    }
}

#[test]
fn the_rest_of_the_line_stays() {
    let secret = Dice(9).password();
    let line = format!("mysql -h db.example -u root -p{secret} shop -e 'select 1' && ls -la");
    assert_eq!(
        redact(&line),
        "mysql -h db.example -u root -p[redacted:password] shop -e 'select 1' && ls -la"
    );
    let line = format!("curl -H 'Authorization: Bearer {secret}' https://x.example/a?page=2");
    assert_eq!(
        redact(&line),
        "curl -H 'Authorization: Bearer [redacted:authorization]' https://x.example/a?page=2"
    );
    let line = format!("tool --password='{secret} x' --verbose");
    assert_eq!(
        redact(&line),
        "tool --password='[redacted:password]' --verbose"
    );
}

#[test]
fn code_beside_a_secret_stays() {
    for (line, left) in [
        (
            "bash -c 'password=hunter22; rm -rf /srv'",
            "bash -c 'password=[redacted:password]; rm -rf /srv'",
        ),
        (
            "sh -c \"TOKEN=abcdef rm -rf /srv\"",
            "sh -c \"TOKEN=[redacted:token] rm -rf /srv\"",
        ),
        (
            "eval \"token=abcdef;rm -rf /srv\"",
            "eval \"token=[redacted:token];rm -rf /srv\"",
        ),
        (
            "API_KEY=\"sk-abcdefghijkl$(rm -rf /srv)\" make",
            "API_KEY=\"[redacted:api-key]$(rm -rf /srv)\" make",
        ),
        (
            "mysql -phunter22`rm -rf /srv` shop",
            "mysql -p[redacted:password]`rm -rf /srv` shop",
        ),
        // Between single quotes it is the password that looks so.
        (
            "mysql -p'hunter22$(rm)' shop",
            "mysql -p'[redacted:password]' shop",
        ),
    ] {
        assert_eq!(redact(line), left);
    }
}
