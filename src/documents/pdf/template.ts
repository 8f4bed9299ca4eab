/**
 * The page, in Typst. Everything it shows comes from `sys.inputs.document` as data: text is text there, whatever it
 * looks like, and never markup.
 */
export const TEMPLATE = `
#let doc = json(bytes(sys.inputs.document))
#let part(name) = doc.at(name, default: none)
#let is-thai = doc.lang == "th"

#let ink = rgb("#16202a")
#let second = rgb("#51606e")
#let line-colour = rgb("#d5dade")
#let brand = rgb("#0b6e69")
#let looks = (
  waiting: (fill: rgb("#fdf1d8"), text: rgb("#8a5a00")),
  good: (fill: rgb("#e4f3ea"), text: rgb("#177143")),
  bad: (fill: rgb("#fbe9e7"), text: rgb("#b3261e")),
  plain: (fill: rgb("#eceff1"), text: second),
)
#let hair = 0.5pt + line-colour
#let small(body) = text(size: 8.5pt, fill: second, body)
#let strong-text(body) = text(weight: 600, body)

#set document(
  title: doc.title,
  author: doc.site,
  date: {
    let (year, month, day) = doc.issuedOn.split("-").map(int)
    datetime(year: year, month: month, day: day)
  },
)
#set text(
  font: doc.fonts.map(lower),
  fallback: false,
  lang: doc.lang,
  size: 9.5pt,
  fill: ink,
  number-width: "tabular",
  hyphenate: false,
)
// Thai has marks above and below its letters.
#set par(leading: if is-thai { 0.95em } else { 0.7em }, spacing: 1.1em)
#set page(
  paper: "a4",
  margin: (x: 20mm, top: 18mm, bottom: 26mm),
  footer: context {
    set text(size: 8pt, fill: second)
    line(length: 100%, stroke: hair)
    v(-0.4em)
    grid(
      columns: (1fr, auto),
      column-gutter: 8mm,
      doc.footer,
      align(right)[#doc.number #h(4mm) #counter(page).display("1 / 1", both: true)],
    )
  },
)
#show heading: set text(weight: 600)
#set heading(outlined: false, bookmarked: false)

// A name without a space in it may be longer than its column: it may break anywhere.
#show regex("[^\\\\s\\\\p{Thai}]{20,}"): it => it.text.clusters().join(h(0.001pt))

#let pill(state) = {
  let look = looks.at(state.look)
  box(
    fill: look.fill,
    inset: (x: 6pt),
    outset: (y: 4.5pt),
    radius: 8pt,
    text(size: 8.5pt, weight: 600, fill: look.text, state.word),
  )
}

#let fact(item) = block(width: 100%, {
  set par(spacing: if is-thai { 0.95em } else { 0.75em })
  small(item.label)
  parbreak()
  strong-text(item.value)
  if item.at("note", default: none) != none {
    parbreak()
    small(item.note)
  }
})

#let lines-table(data) = {
  let aligns = data.columns.map(column => if column.align == "end" { right } else { left })
  if data.at("title", default: none) != none {
    block(above: 1.6em, below: 0.4em, sticky: true, heading(level: 2, text(size: 10.5pt, data.title)))
  }
  block(above: 1.4em, below: 0pt, width: 100%, table(
    columns: data.columns.map(column => if column.align == "end" { auto } else { 1fr }),
    align: (x, y) => aligns.at(x) + top,
    stroke: (x, y) => (bottom: hair, top: if y == 0 { hair }),
    inset: (x, y) => (
      left: if x == 0 { 0pt } else { 8pt },
      right: if x == data.columns.len() - 1 { 0pt } else { 8pt },
      y: 6.5pt,
    ),
    table.header(..data.columns.map(column => small(strong-text(column.header)))),
    ..data.rows.flatten(),
  ))
}

#let sum(item) = {
  let is-total = item.look == "total"
  let weight = if item.look == "plain" { 400 } else { 600 }
  block(
    width: 100%,
    spacing: 0pt,
    inset: (y: if is-total { 9pt } else { 6.5pt }),
    stroke: (bottom: if is-total { 1pt + ink } else { hair }, top: if is-total { 1pt + ink }),
    grid(
      columns: (1fr, auto),
      column-gutter: 6mm,
      align: (left + horizon, right + horizon),
      text(weight: weight, item.label),
      text(weight: weight, size: if is-total { 14pt } else { 9.5pt }, item.value),
    ),
  )
}

#let payment(item) = {
  let qr = item.at("qr", default: none)
  let reference = item.at("reference", default: none)
  block(width: 100%, breakable: false, above: 2em, inset: 5mm, radius: 3mm, stroke: 0.75pt + line-colour, grid(
    columns: if qr == none { (1fr,) } else { (1fr, auto) },
    column-gutter: 6mm,
    align: (left + horizon, right + horizon),
    {
      block(below: 1em, heading(level: 2, text(size: 10.5pt, item.title)))
      for line in item.lines { block(spacing: 0.9em, line) }
      if reference != none {
        block(above: 1.4em, below: 0pt, {
          set par(spacing: 0.75em)
          small(reference.label)
          parbreak()
          text(size: 12pt, weight: 600, reference.value)
        })
      }
    },
    ..if qr != none {
      // 50 mm with its white border: the code itself is never under 35 mm.
      (image(bytes(qr.svg), format: "svg", width: 50mm, alt: qr.description),)
    },
  ))
}

#block(below: 1.6em, text(size: 10pt, weight: 600, fill: brand, doc.site))
#block(below: 0.9em, {
  box(heading(level: 1, text(size: 17pt, doc.title)))
  h(3mm)
  box(baseline: -2pt, pill(doc.state))
})
#if part("subtitle") != none { block(text(fill: second, doc.subtitle)) }

#block(above: 1.4em, below: 0pt, width: 100%, stroke: (top: hair), inset: (top: 1.3em), grid(
  columns: (1fr, 1fr),
  column-gutter: 8mm,
  row-gutter: 1.3em,
  ..doc.facts.map(fact),
))

#for data in doc.tables { lines-table(data) }

#block(width: 100%, breakable: false, spacing: 0pt, for item in doc.sums { sum(item) })

#if part("payment") != none { payment(doc.payment) }

#block(above: 2em, {
  set text(size: 8.5pt, fill: second)
  for note in doc.notes { block(spacing: 0.9em, note) }
})
`;
