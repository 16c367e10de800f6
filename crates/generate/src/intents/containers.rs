//! docker and kubectl.

use super::{Draft, name};
use crate::Request;
use crate::words::Words;

fn finish(words: &mut Words) {
    words.eat("show|list|display|see|print|get|view|check|find|what");
    words.eat_any(&["in|of|for|with|using|on docker", "docker"]);
}

pub(super) fn docker(words: &mut Words, _request: &Request) -> Option<Draft> {
    let named = words.mentions("docker|container|containers|image");
    if !named && !words.mentions("images") || words.mentions("pod|pods|kubectl|kubernetes") {
        return None;
    }
    let draft = if let Some(container) = name(
        words,
        &[
            "docker? logs|log of|for|from docker? container? {name}",
            "{name} container logs",
        ],
    ) {
        let mut flags = String::new();
        if let Some(lines) = words.slot(&["last {num} lines of?", "tail {num} lines?"]) {
            flags.push_str(&format!(" --tail {lines}"));
        }
        if words.eat("follow|following|tail|live|stream|watch") {
            flags.push_str(" -f");
        }
        Draft::new(
            format!("docker logs{flags} {container}"),
            format!("Prints the output of {container}"),
        )
    } else if let Some(container) = name(
        words,
        &[
            "shell|bash|terminal in|into|inside docker? container? {name}",
            "open|start|get|run shell|bash|terminal? in|into|inside docker? container {name}",
            "exec|attach|ssh into|in|to docker? container {name}",
        ],
    ) {
        words.eat("open|start|get|run");
        Draft::new(
            format!("docker exec -it {container} sh"),
            format!("Opens a shell in {container}"),
        )
    } else if words.eat_any(&["stop all running? docker? containers"]) {
        Draft::new(
            "docker stop $(docker ps -q)",
            "Stops every running container",
        )
    } else if let Some(container) = name(
        words,
        &[
            "stop docker? container {name}",
            "stop {name} docker? container",
        ],
    ) {
        Draft::new(
            format!("docker stop {container}"),
            format!("Stops {container}"),
        )
    } else if let Some(container) = name(
        words,
        &[
            "restart docker? container {name}",
            "restart {name} docker? container",
        ],
    ) {
        Draft::new(
            format!("docker restart {container}"),
            format!("Restarts {container}"),
        )
    } else if let Some(container) = name(
        words,
        &[
            "start docker? container {name}",
            "start {name} docker? container",
        ],
    ) {
        Draft::new(
            format!("docker start {container}"),
            format!("Starts {container}"),
        )
    } else if words
        .eat_any(&["remove|delete|prune|clean all? up? stopped|exited|unused docker? containers"])
    {
        Draft::new(
            "docker container prune",
            "Removes every stopped container, after asking",
        )
    } else if words.eat_any(&[
        "remove|delete|prune|clean all? up? dangling docker? images",
        "prune docker? images",
    ]) {
        Draft::new(
            "docker image prune",
            "Removes images without a name, after asking",
        )
    } else if words.eat_any(&["remove|delete|prune|clean all? up? unused docker? images"]) {
        Draft::new(
            "docker image prune -a",
            "Removes every image that no container uses, after asking",
        )
    } else if let Some(container) = name(words, &["remove|delete docker? container {name}"]) {
        Draft::new(
            format!("docker rm {container}"),
            format!("Removes the stopped container {container}"),
        )
    } else if let Some(image) = name(words, &["remove|delete docker? image {name}"]) {
        Draft::new(
            format!("docker rmi {image}"),
            format!("Removes the image {image}"),
        )
    } else if let Some(image) = name(words, &["pull|download docker? image {name}"]) {
        Draft::new(
            format!("docker pull {image}"),
            format!("Fetches the image {image}"),
        )
    } else if let Some(image) = name(words, &["build docker? image named|called|tagged? {name}"]) {
        Draft::new(
            format!("docker build -t {image} ."),
            format!("Builds {image} from this folder"),
        )
    } else if let Some(container) = name(words, &["inspect docker? container? {name}"]) {
        Draft::new(
            format!("docker inspect {container}"),
            format!("Shows all about {container}"),
        )
    } else if words.eat_any(&[
        "docker disk|space usage",
        "disk|space used|usage by|of docker",
        "how much space|disk does? docker use|uses|take",
    ]) {
        Draft::new("docker system df", "Shows what docker keeps on disk")
    } else if words.eat_any(&[
        "docker? container|containers resource|cpu|memory and? memory|cpu? usage|stats|use",
        "cpu|memory|resource usage of docker? containers",
        "docker stats",
    ]) {
        Draft::new(
            "docker stats --no-stream",
            "Shows what the running containers use",
        )
    } else if words.eat_any(&["docker volumes", "volumes of docker"]) {
        Draft::new("docker volume ls", "Lists the volumes")
    } else if words.eat_any(&["docker networks"]) {
        Draft::new("docker network ls", "Lists the networks")
    } else if words.eat_any(&["docker version", "version of docker"]) {
        Draft::new("docker version", "Prints the versions of client and server")
    } else if words.eat_any(&[
        "all docker? containers including|even? stopped|exited ones?",
        "all docker? containers",
        "stopped|exited docker? containers",
        "docker containers including stopped ones?",
    ]) {
        let stopped = words.mentions("stopped|exited") && !words.mentions("including|even|all");
        if stopped {
            Draft::new(
                "docker ps -a --filter status=exited",
                "Lists the stopped containers",
            )
        } else {
            Draft::new("docker ps -a", "Lists all containers")
        }
    } else if words.eat_any(&[
        "running|active docker? containers",
        "docker? containers running?",
        "docker ps",
    ]) {
        words.eat("running");
        Draft::new("docker ps", "Lists the running containers")
    } else if words.eat_any(&["local? docker? images locally?"]) {
        if !words.mentions("docker") {
            return None; // pictures
        }
        Draft::new("docker images", "Lists the images")
    } else {
        return None;
    };
    finish(words);
    Some(draft.neutral())
}

fn namespace(words: &mut Words) -> String {
    if words.eat_any(&["in|from|across all namespaces", "all namespaces"]) {
        return " -A".to_owned();
    }
    let found = name(
        words,
        &[
            "in|from namespace {name}",
            "in|from {name} namespace",
            "namespace {name}",
        ],
    );
    found.map_or_else(String::new, |name| format!(" -n {name}"))
}

pub(super) fn kubectl(words: &mut Words, _request: &Request) -> Option<Draft> {
    const THINGS: &str = "pod|pods|kubectl|kubernetes|k8s|deployment|deployments|namespace|namespaces|nodes|statefulset|configmaps|ingresses|helm|cluster";
    if !words.mentions(THINGS) {
        return None;
    }
    let context = words.mentions("kubectl|kubernetes|k8s|pod|pods|deployment|deployments|namespace|namespaces|statefulset|configmaps|ingresses|cluster");
    let space = namespace(words);
    let draft = if let Some(pod) = name(
        words,
        &[
            "logs|log of|for|from pod {name}",
            "logs|log of|for|from {name} pod",
            "logs of|for|from deployment {name}",
        ],
    ) {
        let mut flags = String::new();
        if let Some(lines) = words.slot(&["last {num} lines of?", "tail {num} lines?"]) {
            flags.push_str(&format!(" --tail={lines}"));
        }
        if words.eat("previous|crashed") {
            flags.push_str(" -p");
        }
        if words.eat("follow|following|tail|live|stream|watch") {
            flags.push_str(" -f");
        }
        let pod = if words.mentions("deployment") {
            format!("deployment/{pod}")
        } else {
            pod
        };
        Draft::new(
            format!("kubectl logs{space}{flags} {pod}"),
            format!("Prints the output of {pod}"),
        )
    } else if let Some(pod) = name(
        words,
        &[
            "describe|inspect pod {name}",
            "describe|inspect {name} pod",
            "events|details of|for pod {name}",
        ],
    ) {
        Draft::new(
            format!("kubectl describe{space} pod {pod}"),
            format!("Shows the state and events of {pod}"),
        )
    } else if let Some(pod) = name(
        words,
        &[
            "shell|bash|terminal in|into|inside pod {name}",
            "exec into|in pod {name}",
        ],
    ) {
        words.eat("open|start|get|run");
        Draft::new(
            format!("kubectl exec{space} -it {pod} -- sh"),
            format!("Opens a shell in {pod}"),
        )
    } else if let Some(found) =
        words.take("scale deployment? {name} deployment? to {num} replicas|pods|instances?")
    {
        let [deployment, number] = found.as_slice() else {
            return None;
        };
        Draft::new(
            format!(
                "kubectl scale{space} deployment/{} --replicas={number}",
                super::quote(deployment)
            ),
            format!("Sets {deployment} to {number} replicas"),
        )
    } else if let Some(deployment) = name(
        words,
        &["restart deployment {name}", "restart {name} deployment"],
    ) {
        Draft::new(
            format!("kubectl rollout restart{space} deployment/{deployment}"),
            format!("Replaces the pods of {deployment} one after the other"),
        )
    } else if let Some(deployment) = name(words, &["undo|roll|rollback back? deployment {name}"]) {
        Draft::new(
            format!("kubectl rollout undo{space} deployment/{deployment}"),
            format!("Goes back to the revision of {deployment} before"),
        )
    } else if let Some(deployment) = name(words, &["rollout status of deployment? {name}"]) {
        Draft::new(
            format!("kubectl rollout status{space} deployment/{deployment}"),
            format!("Follows the rollout of {deployment}"),
        )
    } else if let Some(pod) = name(words, &["delete|remove|kill pod {name}"]) {
        Draft::new(
            format!("kubectl delete{space} pod {pod}"),
            format!("Deletes the pod {pod}"),
        )
    } else if words.eat_any(&[
        "kubectl|kubernetes|k8s? current context",
        "which|what context|cluster am using|on?",
    ]) {
        Draft::new(
            "kubectl config current-context",
            "Prints the context in use",
        )
    } else if words.eat_any(&["kubectl|kubernetes|k8s contexts"]) {
        Draft::new("kubectl config get-contexts", "Lists the contexts")
    } else if let Some(context) = name(
        words,
        &["switch|change|use to? kubectl|kubernetes|k8s context to? {name}"],
    ) {
        Draft::new(
            format!("kubectl config use-context {context}"),
            format!("Switches to the context {context}"),
        )
    } else if words.eat_any(&[
        "pods that are? not running",
        "failing|failed|crashing|unhealthy pods",
    ]) {
        Draft::new(
            format!(
                "kubectl get pods{space} --field-selector=status.phase!=Running,status.phase!=Succeeded"
            ),
            "Lists the pods that neither run nor are done",
        )
    } else if words.eat_any(&[
        "pods cpu|memory|resource and? memory|cpu? usage",
        "cpu|memory|resource usage of pods",
    ]) {
        Draft::new(
            format!("kubectl top pods{space}"),
            "Shows what the pods use",
        )
    } else {
        let kinds = [
            ("pods|pod", "pods"),
            ("deployments", "deployments"),
            ("services", "services"),
            ("nodes", "nodes"),
            ("namespaces", "namespaces"),
            ("configmaps", "configmaps"),
            ("ingresses", "ingresses"),
            ("events", "events"),
            ("secrets", "secrets"),
            ("jobs", "jobs"),
            ("cronjobs", "cronjobs"),
            ("statefulsets", "statefulsets"),
        ];
        let kind = kinds.iter().find_map(|(word, kind)| {
            words
                .eat(&format!("kubectl|kubernetes|k8s|running? {word}"))
                .then_some(*kind)
        })?;
        if !context && kind == "services" {
            return None;
        }
        let wide = if words.eat_any(&["with|and more? details|nodes|ips", "wide"]) {
            " -o wide"
        } else {
            ""
        };
        Draft::new(
            format!("kubectl get {kind}{space}{wide}"),
            format!("Lists the {kind}"),
        )
    };
    words.eat("show|list|display|see|print|get|view|check|find|what");
    words.eat_any(&[
        "in|of|for|with|using|on my? kubernetes|k8s|kubectl|cluster cluster?",
        "kubectl|kubernetes|k8s",
    ]);
    Some(draft.neutral())
}
