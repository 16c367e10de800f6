// Written by cmdai. `cmdai integrate opencode` renews it, `cmdai integrate opencode --remove` takes
// it out. Asks `cmdai hook opencode` before a tool runs; whatever goes wrong is a denial.
import { spawn } from "node:child_process"

const program = "@PROGRAM@"
const patience = 10000

function ask(call) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["hook", "opencode"], { stdio: ["pipe", "pipe", "pipe"] })
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      reject(new Error("cmdai: blocked, because the check took too long"))
    }, patience)
    let said = ""
    let why = ""
    child.stdout.on("data", (part) => { said += part })
    child.stderr.on("data", (part) => { why += part })
    child.stdin.on("error", () => {})
    child.on("error", (error) => {
      clearTimeout(timer)
      reject(new Error("cmdai: blocked, because the check cannot be started: " + error.message))
    })
    child.on("close", (status) => {
      clearTimeout(timer)
      resolve({ status, said: said.trim(), why: why.trim() })
    })
    child.stdin.end(JSON.stringify({ cmdai_contract: @CONTRACT@, ...call }))
  })
}

export const Cmdai = async ({ directory }) => {
  const call = (event, input, rest) => ({
    hook_event_name: event,
    session_id: input.sessionID,
    tool_use_id: input.callID,
    tool_name: input.tool,
    cwd: directory,
    ...rest,
  })
  return {
    "tool.execute.before": async (input, output) => {
      const answer = await ask(call("PreToolUse", input, { tool_input: output.args }))
      if (answer.status !== 0 || answer.said !== "") {
        throw new Error(answer.why || "cmdai: blocked, because the check failed")
      }
    },
    "tool.execute.after": async (input, output) => {
      const rest = { tool_input: input.args ?? {}, metadata: { exit: output?.metadata?.exit } }
      await ask(call("PostToolUse", input, rest)).catch(() => {})
    },
    event: async ({ event }) => {
      if (event.type !== "session.created") return
      const info = event.properties?.info ?? {}
      await ask({
        hook_event_name: "SessionStart",
        session_id: info.id,
        agent_version: info.version,
        cwd: directory,
      }).catch(() => {})
    },
  }
}
