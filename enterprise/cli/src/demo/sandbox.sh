#!/bin/bash
# A throw-away machine: the host's files seen through an overlay whose changes live in memory, its
# own /dev, /proc, /tmp and host name; the governed shell has no network and its own processes.
# Everything is gone when the shell ends.
#
# Called inside a private mount and host-name namespace, as root:
#   sandbox.sh FOLDER PROGRAMS      with CMDAI_DEMO_SERVER and CMDAI_DEMO_TOKEN set
# The sensor's last state is left in FOLDER.status.json.
set -euo pipefail
base=$1
programs=$2
person=4242

hostname demo-laptop
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
root=$base/root

mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"

# The programs, read-only, wherever on the host they were built.
mkdir -p "$root/opt/cmdai"
mount --bind "$programs" "$root/opt/cmdai"
mount -o remount,bind,ro "$root/opt/cmdai"

# Somebody who works here, and a cluster that does not exist.
home=/home/demo
mkdir -p "$root$home/.kube" "$root$home/project/src" "$root$home/project/build"
echo "demo:x:$person:$person:Demo:$home:/bin/bash" >>"$root/etc/passwd"
echo "demo:x:$person:" >>"$root/etc/group"
echo 'fn main() {}' >"$root$home/project/src/main.rs"
cat >"$root$home/.kube/config" <<'KUBE'
apiVersion: v1
current-context: prod-eu
contexts: [{name: prod-eu, context: {cluster: prod-eu, user: demo, namespace: default}}]
KUBE
cat >"$root/usr/local/bin/kubectl" <<'KUBECTL'
#!/bin/sh
case "$*" in
  "delete ns "*|"delete namespace "*) eval "last=\${$#}"; echo "namespace \"$last\" deleted (there is no cluster: this is the demo)" ;;
  *) echo "demo kubectl: $*" ;;
esac
KUBECTL
chmod 755 "$root/usr/local/bin/kubectl"
cat >"$root$home/.bashrc" <<'RC'
PS1='demo@laptop:\w\$ '
HISTFILE=$HOME/.bash_history
eval "$(/opt/cmdai/cmdai init bash)"
RC
chown -R "$person:$person" "$root$home"

chroot "$root" /opt/cmdai/cmdai-enterprise enrol --server "$CMDAI_DEMO_SERVER" --token "$CMDAI_DEMO_TOKEN" >/dev/null
unset CMDAI_DEMO_TOKEN
chroot "$root" /opt/cmdai/cmdai-enterprise sensor </dev/null 2>"$base/sensor.log" &
sensor=$!
for _ in $(seq 100); do
  [ -S "$root/run/cmdai/governor.sock" ] && [ -s "$root/var/lib/cmdai/policy.snapshot" ] && break
  kill -0 "$sensor" 2>/dev/null || { echo "the sensor did not start:" >&2; cat "$base/sensor.log" >&2; exit 1; }
  sleep 0.1
done

set +e
unshare --net --pid --fork --kill-child --mount-proc="$root/proc" \
  chroot "$root" setpriv --reuid="$person" --regid="$person" --clear-groups \
  env -i HOME="$home" USER=demo LOGNAME=demo SHELL=/bin/bash TERM="${TERM:-xterm}" LANG="${LANG:-C.UTF-8}" \
  PATH=/opt/cmdai:/usr/local/bin:/usr/bin:/bin \
  bash -c 'cd "$HOME/project" && exec bash --rcfile "$HOME/.bashrc" -i'

# Let the last records travel, then stop in good order.
for _ in $(seq 50); do
  chroot "$root" /opt/cmdai/cmdai-enterprise status --format json 2>/dev/null | grep -q '"queued": 0' && break
  sleep 0.2
done
kill -TERM "$sensor" 2>/dev/null
wait "$sensor"
chroot "$root" /opt/cmdai/cmdai-enterprise status --format json >"$base.status.json" 2>/dev/null
cat "$base/sensor.log" >&2
exit 0
