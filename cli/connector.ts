import { Command } from 'commander'
export const connectorCommand = new Command('connector')
