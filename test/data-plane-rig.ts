import { randomBytes } from 'node:crypto'
import { Project } from '../control/project.ts'
import { feedOf } from '../serve/feed.ts'
import { thisMachine } from '../serve/site.ts'
import type { Access } from '../standalone/access.ts'
import { DataPlane } from '../standalone/data-plane.ts'
import { Site } from './serve-rig.ts'

/** Manifests that a data plane of this process serves, on a loopback address of their own. */
export class DataPlaneRig {
  readonly site: Site
  /** Requests that are over. */
  readonly accesses: Access[] = []
  readonly #plane: DataPlane

  private constructor(site: Site) {
    this.site = site
    this.#plane = new DataPlane({
      addresses: [site.address],
      proxyProtocol: [],
      ticketSecret: randomBytes(32),
      connections: 1_000,
      http2: true,
      observeRequest: (access) => this.accesses.push(access),
      observeConnection: () => {},
      observeDatagrams: () => {},
      log: () => {},
    })
  }

  static async create(): Promise<DataPlaneRig> {
    return new DataPlaneRig(await Site.create())
  }

  get address(): string {
    return this.site.address
  }

  /** Serves these objects in place of those before. Resolves with what cannot be served. */
  async serve(objects: readonly object[]): Promise<readonly string[]> {
    await this.site.write('all', objects)
    // A project of before would wait for the rest of a file that has become shorter.
    const project = new Project([this.site.manifests], thisMachine(['landfall.dev/gateway-controller']))
    return this.#plane.apply(feedOf(await project.read()).feed)
  }

  async close(): Promise<void> {
    await this.#plane.close(0)
    await this.site.close()
  }
}
