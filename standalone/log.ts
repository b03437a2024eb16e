/** Is told what happens: one of few events, and what is known of it. */
export type Log = (event: string, fields: Readonly<Record<string, string | number>>) => void
