import type { Loaded } from '../../kube/loaded.ts'
import { parseManifests } from '../../kube/manifests.ts'
import { compile } from '../compile/compile.ts'
import { site } from '../compile/object-fixture.ts'
import { Snapshot } from '../snapshot.ts'
import type { GatewayTable } from '../table.ts'

/** The manifests of a test, as those of m.yaml, and the tables that they come to. */
export function compiled(manifests: string): { readonly loaded: Loaded; readonly tables: readonly GatewayTable[] } {
  const loaded = parseManifests('m.yaml', manifests)
  return { loaded, tables: compile(Snapshot.of(loaded.objects), site).tables }
}
