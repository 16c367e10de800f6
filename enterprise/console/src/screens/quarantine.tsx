// Into and out of quarantine, from wherever a machine is named.
import { api, take } from '../api/client'
import { queryClient } from '../api/queries'
import { StepUp, toast } from '../ui/overlay'
import { SafeText } from '../ui/show'

export function Quarantine({ machineId, hostname, on, onClose }: { machineId: string; hostname: string; on: boolean; onClose: () => void }) {
  return (
    <StepUp
      title={on ? 'Quarantine this machine' : 'Release this machine'}
      action={on ? 'Quarantine' : 'Release'}
      danger={on}
      reasonHint={on ? 'Shown to the person at the terminal.' : undefined}
      intro={
        on ? (
          <p>
            On <b><SafeText>{hostname}</SafeText></b> nothing more runs through hooked shells and agents until somebody releases it. Recording goes on. The machine carries the order out at its next contact.
          </p>
        ) : (
          <p>
            <b><SafeText>{hostname}</SafeText></b> follows the organisation's policy again from its next contact on.
          </p>
        )
      }
      send={(values) => take(api.POST('/api/v1/machines/{id}/quarantine', { params: { path: { id: machineId } }, body: { on, ...values } }))}
      onClose={onClose}
      onDone={() => {
        toast(on ? `${hostname} is ordered into quarantine` : `${hostname} is released`)
        for (const key of ['machines', 'machine', 'overview', 'alerts']) void queryClient.invalidateQueries({ queryKey: [key] })
        onClose()
      }}
    />
  )
}
