"""A research trio: planner, researchers and writer answer a question from a folder of text, with citations.

    python -m examples.research "How do I run a subprocess with a timeout and capture its output?"

No language model is used. Each agent is a process of its own; they meet on a bridge.

    asker ──request──▶ planner ──barrier: survey──▶ researcher 1..n   what do your shares hold?
                          │ ─────barrier: search──▶ researcher 1..n   the best quotes for each aspect
                          │ ─────call: report.write──▶ writer
                          │                              └──call: source.read──▶ any researcher
                          └── memory: earlier questions

Layout:

    planner.py researcher.py writer.py   the agents, one file each
    events.py                            what they say to each other
    ask.py crew.py __main__.py           the asker, the processes, the command line
    corpus.py passage.py                 what is searched: documents and passages
    pydocs.py textfiles.py               the two sorts of corpus
    text.py thesaurus.py                 words and sentences
    plan.py search.py extract.py         from a question to ranked quotes
    report.py narrator.py                from quotes to Markdown; where a language model may step in
    recall.py timing.py settings.py      earlier questions, figures, what a process is told
"""
