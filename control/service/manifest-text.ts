/** A file of a set as it was pushed. */
export interface ManifestText {
  /** Below the set: "routes/cart.yaml". */
  readonly name: string
  readonly text: string
}
