import { Command } from 'commander'
export const publishCommand = new Command('publish')
