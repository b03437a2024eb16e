/** A rule as people call it. */
export interface RuleName {
  /** "HTTPRoute namespace/name". */
  readonly route: string
  /** Position in spec.rules. */
  readonly rule: number
  /** Its own name, or "". */
  readonly ruleName: string
}

/** 'HTTPRoute shop/web rule 2 "pages"'. */
export const ruleText = ({ route, rule, ruleName }: RuleName): string =>
  `${route} rule ${rule}${ruleName === '' ? '' : ` "${ruleName}"`}`
