import { extname } from 'node:path'

// What files below a directory are called that has manifests.

const extensions = new Set(['.yaml', '.yml', '.json'])

/** Read by kustomize, and no manifests themselves. */
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml'])

/** Of a file, or of a directory on the way there. */
export const isSearched = (name: string): boolean => !name.startsWith('.') && name !== 'node_modules'

export const isManifest = (name: string): boolean => extensions.has(extname(name)) && !kustomizations.has(name)

/** Whether a file counts that is found by these names, one below the other, the last of them its own. */
export const isFound = (names: readonly string[]): boolean => names.every(isSearched) && isManifest(names.at(-1) ?? '')
