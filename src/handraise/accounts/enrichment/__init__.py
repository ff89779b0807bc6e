"""What others know of companies and people: whom to believe, whom to ask, and what came of it.

How it is laid out, and why:

* Whatever is said comes in as rows of one input, `enrichment`: by file, by webhook, from a table of the company's
  warehouse, or from a provider that was asked over HTTP. Each says who said it (`source`) and since when it is known
  (`known_at`); nothing is overwritten. So a score of an earlier day does not see what came later, and the same score
  comes out again.
* The accounts and people files stay as they are. What is said is joined to them at the two places where the path reads
  them (`account_facts` and the traits of people), so that segment, ICP, company size, industry, executives and buyers
  follow without knowing of it.
* `said` brings what is said into one order of belief, anew only when something of it changed; `resolve` takes the
  first of it for each as-of, and costs next to nothing where nobody said anything.
* A provider is one small protocol (`provider`), and HTTP its only kind that asks by itself. Its answers are kept in the
  ledger, which survives a rebuild of the data, and stored as rows from there.
"""
