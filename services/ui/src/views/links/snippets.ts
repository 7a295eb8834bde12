/** A piece of text to copy into another tool, with this installation's address in it. */
export interface Snippet {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly text: string
}

export interface SnippetGroup {
  readonly title: string
  readonly about: string
  readonly snippets: readonly Snippet[]
}

/** Asterisk itself writes the id and the time; what comes from a caller is percent-encoded by it. */
const dialplanLink = (base: string, id: string): string =>
  `${base}/capture?call=\${URIENCODE(${id})}&at=\${EPOCH}`

/** `base`: the page's origin as the readers of a CDR reach it, without a slash at its end. */
export function snippetGroups(base: string): SnippetGroup[] {
  return [
    {
      title: 'A plain link',
      about:
        'Any id that your tool has: Uniqueid or Linkedid (both are in Asterisk’s CDR), Call-ID, channel name, or a number with a time. Times: epoch seconds or milliseconds, RFC 3339, or as a CDR table writes them (then the viewer’s zone is taken). Percent-encode the values.',
      snippets: [
        {
          id: 'url',
          title: 'By an id of Asterisk or SIP',
          note: 'Opens the call with all its legs. With a time beside it, an id that is not known shows the calls near it.',
          text: `${base}/capture?call=UNIQUEID&at=TIME`,
        },
        {
          id: 'url-number',
          title: 'By number and time',
          note: 'Shows the calls of that number, the nearest first; one of them is never chosen for you.',
          text: `${base}/capture?call=NUMBER&at=TIME`,
        },
        {
          id: 'url-numbers',
          title: 'By both numbers and time',
          note: '',
          text: `${base}/capture?at=TIME&from=CALLER&to=CALLED`,
        },
      ],
    },
    {
      title: 'Asterisk: the link in each CDR',
      about:
        'Lines for extensions.conf, before Dial() or Queue() on the caller’s channel. The CSV backend writes the field with loguserfield=yes and loguniqueid=yes in section [csv] of cdr.conf; the ODBC and MySQL backends where the table has a column userfield.',
      snippets: [
        {
          id: 'dialplan-linkedid',
          title: 'By Linkedid: the whole call',
          note: 'The one to take when in doubt: it stays the same through transfers, queues and forks.',
          text: ` same => n,Set(CDR(userfield)=${dialplanLink(base, '${CHANNEL(linkedid)}')})`,
        },
        {
          id: 'dialplan-uniqueid',
          title: 'By Uniqueid: this channel',
          note: 'Opens the same call; the note above it says which leg the channel is.',
          text: ` same => n,Set(CDR(userfield)=${dialplanLink(base, '${CHANNEL(uniqueid)}')})`,
        },
        {
          id: 'dialplan-call-id',
          title: 'By SIP Call-ID: also where no AMI is connected',
          note: 'Only in the dialplan and only on a PJSIP channel. Never put CHANNEL(pjsip,call-id) into channelvars of manager.conf: Asterisk then hangs.',
          text: ` same => n,ExecIf($["\${CHANNEL(channeltype)}" = "PJSIP"]?Set(CDR(userfield)=${dialplanLink(base, '${CHANNEL(pjsip,call-id)}')}))`,
        },
      ],
    },
    {
      title: 'FreePBX and other CDR tables',
      about:
        'The table asteriskcdrdb.cdr has uniqueid and linkedid already: no dialplan is changed. Other tables of Asterisk’s CDR have the same columns.',
      snippets: [
        {
          id: 'sql',
          title: 'SQL (MariaDB, MySQL)',
          note: 'UNIX_TIMESTAMP reads calldate in the zone of the database session.',
          text: `SELECT calldate, src, dst, disposition,
       CONCAT('${base}/capture?call=', COALESCE(NULLIF(linkedid, ''), uniqueid),
              '&at=', UNIX_TIMESTAMP(calldate)) AS sip
FROM asteriskcdrdb.cdr ORDER BY calldate DESC LIMIT 50;`,
        },
        {
          id: 'csv',
          title: 'Spreadsheet: Master.csv of Asterisk, Uniqueid in column Q',
          note: 'Import the column as text: as a number, 1795391929.10 becomes 1795391929.1, which is another channel.',
          text: `=HYPERLINK("${base}/capture?call="&ENCODEURL(Q2),"SIP")`,
        },
        {
          id: 'grafana',
          title: 'Grafana: data link on a table that has a field linkedid',
          note: 'The field must be text there: a number loses its last zeros.',
          text: `${base}/capture?call=\${__data.fields.linkedid}&at=\${__value.time}`,
        },
      ],
    },
    {
      title: 'In a frame of your own page',
      about:
        'Verdict, ladder and messages of one call without the rest of this page. theme=dark or theme=light; without it the viewer’s own. Where API_TOKENS is set, the frame asks for a token once a tab: never put one into a link.',
      snippets: [
        {
          id: 'iframe',
          title: 'HTML',
          note: '',
          text: `<iframe src="${base}/embed/call?call=UNIQUEID&amp;at=TIME&amp;theme=light" title="SIP call"
        width="100%" height="640" style="border: 0" loading="lazy"></iframe>`,
        },
      ],
    },
  ]
}
