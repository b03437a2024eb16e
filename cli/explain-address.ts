import process from 'node:process'
import { Command, InvalidArgumentError, type Option } from 'commander'
import { parseAddress } from '../bgp-agent/address.ts'
import { askAgent } from './agent-socket.ts'
import { nodeOption, type PlanFlags } from './node-plan.ts'
import { printJson } from './terminal.ts'
import { outputOption } from './usage.ts'

/** How one kind of agent says what becomes of an address. */
export interface AddressExplainer<Explanation> {
  readonly description: string
  /** The command that starts the agent. */
  readonly agent: string
  /** `--socket` and `--secret-namespace`. */
  readonly options: readonly Option[]
  /** What the manifests alone say of it. */
  readonly planned: (flags: PlanFlags, address: string) => Promise<Explanation | undefined>
  readonly text: (explanation: Explanation) => string
  readonly isAnswered: (explanation: Explanation) => boolean
}

interface ExplainFlags extends Omit<PlanFlags, 'filename'> {
  readonly filename?: string[]
  readonly socket: string
  readonly output?: 'json'
}

/** `explain ADDRESS`, which ends with 1 where nothing answers for the address. */
export function explainCommand<Explanation>(explainer: AddressExplainer<Explanation>): Command {
  const command = new Command('explain')
    .description(explainer.description)
    .argument('<address>', 'of IPv4 or IPv6', address)
    .option('-f, --filename <path...>', 'ask manifests what would be, in place of the agent what is')
    .addOption(nodeOption())
  for (const option of explainer.options) command.addOption(option)
  return command
    .addOption(outputOption())
    .action(async (of: string, { filename, socket, output, ...flags }: ExplainFlags) => {
      const explanation =
        filename === undefined
          ? await askAgent<Explanation>(socket, `/explain?address=${encodeURIComponent(of)}`, explainer.agent)
          : await explainer.planned({ ...flags, filename }, of)
      if (explanation === undefined) return
      if (output === 'json') printJson(explanation)
      else process.stdout.write(`${explainer.text(explanation)}\n`)
      if (!explainer.isAnswered(explanation)) process.exitCode = 1
    })
}

function address(text: string): string {
  if (parseAddress(text) === undefined) throw new InvalidArgumentError('write an IP address.')
  return text
}
