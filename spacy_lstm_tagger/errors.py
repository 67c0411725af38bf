"""The texts of our errors: what was given, what is allowed, what to do."""


class WithCodes(type):
    """As spaCy's `ErrorsWithCodes`, which a process that only reads files need not import."""

    def __getattribute__(cls, name: str) -> str:
        text: str = super().__getattribute__(name)
        return text if name.startswith("__") else f"[{name}] {text}"


class Errors(metaclass=WithCodes):
    """Error texts by code, which each of them starts with. C: commands, D: texts and distillation,
    L: loading, M: model configuration, P: pipe, R: reading corpora, T: training configuration.
    """

    C001 = (
        "One of the {n_process} processes ended before its work was done: it failed (see above), "
        "was killed, or ran out of memory. Give a smaller --n-process; finished work is kept."
    )
    C002 = (
        "{path}: found {found}, expected a JSON list of tags, as `spacy init labels` writes. "
        "Correct --student."
    )
    C003 = (
        "Out of memory: {error}. Give a smaller --n-process, --batch-size, --max-words or "
        "--shard-size, whichever the command has; finished work is kept."
    )
    C004 = (
        "{path}: most words have tags that {pipeline} does not give, such as {tags} (tag = {tag}). "
        "{remedy}."
    )
    C005 = (
        "The pipeline has no component {name!r}; it has {names}. Give one of them with --component."
    )
    C006 = "{pipeline} has no component that sets token.tag_, only {names}. Give one with a tagger."
    C007 = (
        "{path}: found the suffix {suffix!r}, expected one of {allowed}. "
        "Give another --output, or --format."
    )
    C008 = (
        "{first} and {second} would both be written to {path}. Tag them one by one, or give an "
        "--output with a suffix for all of them."
    )
    C009 = "{path} is both read and written. Give another --output."
    C010 = "{error}. What was tagged before that is in {path}."
    C011 = "{name!r} of {pipeline} gives tags without probabilities. Leave out --probabilities."
    C012 = "{pipeline} has tags such as {tag}, which do not fit --tag {column}. Give --tag {other}."
    C013 = "This needs the package ray. Install it: pip install 'spacy-lstm-tagger[ray]'."
    C014 = 'Found a batch of type {found}, expected an Arrow table. Give batch_format="pyarrow".'
    C015 = (
        "{folder} has files that are not from interrupted work. Give another --output, or move "
        "them."
    )
    C016 = (
        "{folder} has unfinished work in which {name} was {old}, and is {new} now. Give the same "
        "pipeline, texts and options to go on, or another --output, or delete it."
    )
    C017 = (
        "{count:,} texts cannot be read, more than --skip-bad {allowed} allows: {first}, … "
        "{folder} lists all of them; the files beside it have all other texts. Correct these "
        "inputs, and give them with another --output."
    )
    C018 = "--engine ray does not take {value}. {remedy}."
    C019 = (
        "Found two pipelines of the same name ({names}). Rename a folder or, in Python, name them: "
        "{{name: pipeline}}."
    )
    C020 = "Found no pipeline, expected at least one, and after that a corpus: PIPELINE CORPUS."
    C021 = "The page needs {package}. Install it: pip install 'spacy-lstm-tagger[report]'."
    C022 = (
        "A worker of the cluster has died again and again ({error}). Give the same command again, "
        "with more memory or fewer actors; finished work is kept."
    )
    C023 = (
        "{path}: found no component to train that sets token.tag_ in [nlp] pipeline = {names}. Put "
        "an lstm_tagger or a tagger into it, and not into frozen_components."
    )
    C024 = (
        "{name}: found no word with a tag in {docs} doc(s) with {words} word(s), expected some. "
        "Correct its path, or annotate the corpus."
    )
    C025 = (
        "--gpus {value}: the cluster has {found:g} GPUs. Leave it out to take CPUs, or give a "
        "--concurrency to wait until there are some."
    )
    C026 = "Found inputs of several kinds: {kinds}. Give --format: all are written as one kind."
    C027 = "{name} needs --engine ray. Give that too, or leave {name} out."
    C028 = "{path} is being written by another command. Wait for it, or give another --output."
    C029 = (
        "{place}: {words} tokens became {found}. Take the component that merges or splits tokens "
        "out of the pipeline."
    )
    C030 = "{name} cannot be loaded: {error}. If its files are damaged, copy or install it again."
    C031 = "The cluster cannot be joined: {error}. Start it, or correct --address or RAY_ADDRESS."
    D001 = (
        "Found no text at {path}, expected a file, or a folder with some in it. Correct the path."
    )
    D002 = (
        "{place} cannot be read: {error}. Expected UTF-8 and, in a .jsonl file, an object such as "
        '{{"{key}": "A text."}}; in a table, a text or a list of words. Correct it, give '
        "--text-key, or leave out up to N such texts with --skip-bad N."
    )
    D003 = (
        "The teacher {source} should have one component that sets token.tag_; found: "
        "{found}. Give a pipeline with one tagger."
    )
    D004 = (
        "The component {name!r} of the teacher {source} has no labels. Give a tagger whose "
        "labels are known, such as a trained one."
    )
    D005 = (
        "The teacher {source} and {whose} have different tags: only the first has {more}; only the "
        "second has {less}. Give teachers and a student of the same tag set, --tag for the column "
        "of the student's tags, or --other-tags to leave out tags of other teachers."
    )
    D006 = (
        "The teacher {source} gives tags without probabilities, which cannot be averaged "
        "with those of others. Give it as the only teacher, or leave it out."
    )
    D007 = (
        "{folder} has silver data in which {name} was {old}, and is {new} now. Give the same "
        "teachers, texts and options to go on, or another --output, or delete it."
    )
    D008 = "{folder} has .spacy files, but no {name}, which lists them. Give another --output."
    D009 = "Found no .spacy file with a doc at {path}. Give the folder that was labelled."
    D010 = (
        "FillVocabulary: found no WordCharEmbed layer in this pipeline. Take the callback "
        "out of [initialize], or use an architecture that reads words and characters."
    )
    D011 = "{path} cannot be read ({error}), expected {format}. Copy or make it again, or omit it."
    D012 = (
        "{path} is not the list of shards that this command writes ({error}). Give another "
        "folder, or move this file away."
    )
    D013 = "{path} cannot be decompressed ({error}). Copy the file again, or correct its suffix."
    D014 = "{what} needs the package {package}. Install it: pip install 'spacy-lstm-tagger[files]'."
    D015 = "{path} has no column {key!r}, only {names}. Give the name of one with --text-key."
    D016 = "{place} has {key!r} already. Give what is added another name, as with --prefix tagged_."
    D017 = "{path}: a row does not fit those before ({error}). Write .jsonl, where rows may differ."
    D018 = (
        "A .spacy file holds {words:,} words at most. Give several inputs, with a folder as "
        "--output, or write .jsonl."
    )
    D019 = (
        "Found {weights!r} as the weights of {teachers} teacher(s), expected a number from "
        "0.000001 to 1000000 for each, such as --weights 2,1."
    )
    D020 = (
        "{place}: it has {characters:,} characters, and nlp.max_length is {longest:,}. Shorten it, "
        "or leave out up to N such texts with --skip-bad N."
    )
    D021 = (
        "FillVocabulary: vectors = {name}, but WordCharEmbed keeps none. Set its pretrained_width "
        "to their width, or leave vectors out."
    )
    D022 = (
        "FillVocabulary: the word vectors of {name} have the shape {shape}, expected "
        "(at least 1, {width}). Set pretrained_width to their width, or name a pipeline with such "
        "vectors (python -m spacy init vectors), in a table, not floret's."
    )
    D023 = (
        "FillVocabulary: the word vectors of {name} have the value {value}, but half precision "
        "allows {allowed} at most. Scale them to values of about 1."
    )
    D024 = "{path} was cut while it was read. Read it again when nothing writes to it any more."
    D025 = (
        "A component keeps with the docs what a .spacy file cannot have ({error}). Write .jsonl, "
        "or change the component."
    )
    D026 = (
        "{path} has only some of its silver data: labelling was interrupted, or a shard was lost. "
        "Give the same `lstm-tagger label` command again, which goes on where it stopped."
    )
    D027 = (
        "{place}: the tokenizer refuses this text ({error}). Shorten or correct it. In `label`, a "
        "smaller --max-words may be enough."
    )
    D028 = "{place} has a value that Python has not ({error}). Write .parquet, or omit its column."
    L001 = (
        "The model file is damaged: its weights cannot be read ({error}). "
        "Copy or package the pipeline again from where it was trained."
    )
    L002 = (
        "The weights do not fit this architecture: {error}. Load them with the config that "
        "they were trained with (config.cfg beside the model) and the version of "
        "spacy-lstm-tagger that saved them, or train again."
    )
    L003 = "Cannot load the tagger from {path}. {error}"
    L004 = (
        "The weights {name} of the model file are not all finite numbers, so its tags would mean "
        "nothing. Train again, with a lower [training.optimizer] learn_rate."
    )
    L005 = (
        "The tagger has {labels} labels, but its weights are those of {tags} tags. The files cfg "
        "and model belong to different taggers, or cfg was changed: copy the pipeline again."
    )
    L006 = "The settings in cfg cannot be read ({error}). Copy the pipeline again."
    L007 = (
        "The lemmas in {path} cannot be read ({error}). Copy the pipeline again, or take the "
        "version of spacy-lstm-tagger that saved it."
    )
    M001 = "{name} = {value} is not allowed: it must be {allowed}."
    M002 = (
        "The encoder got vectors of width {value}, but was built for input_width = "
        "{allowed}. Set its input_width to the width of the embedding layer before it."
    )
    M003 = (
        "include_static_vectors = true, but the pipeline's vocabulary has no vectors. "
        "Set [initialize] vectors to a pipeline or vectors package that has some, or set "
        "include_static_vectors = false. A trained tagger needs the vectors of its own pipeline."
    )
    M004 = (
        "CRFTagger.v1 works only in the component lstm_tagger, and is the model of another one. "
        'Set factory = "lstm_tagger", or use Tagger.v1 there.'
    )
    M005 = (
        "A gradient is not a finite number, however float16 is scaled. Lower the learn_rate, or "
        'set precision = "bf16" or "fp32".'
    )
    M006 = (
        "pretrained_width = {width}, but the model has no pretrained vectors. Give the path or the "
        "name of a pipeline that has some as vectors of FillVocabulary.v1 in "
        "[initialize.after_init], or leave pretrained_width out."
    )
    M007 = (
        "CuPy finds a GPU, but PyTorch {version} finds none. Install a PyTorch with CUDA, see "
        "https://pytorch.org/get-started, or use the CPU: no --gpu-id, no require_gpu."
    )
    P001 = (
        "The training data has the tag {tag!r}, which is not one of the tagger's labels: "
        "{labels}. Initialize the tagger with all tags (TagLabels.v1), add them to a trained one "
        "(AddLabels.v1), or correct the data."
    )
    P002 = (
        "The training data has probabilities of the tag {tag}, which is not one of the "
        "tagger's labels: {labels}. Label the text with a teacher of the same tag set, or set "
        "soft_share = 0 to learn from tags alone."
    )
    P003 = (
        "The tag dictionary has the tag {tag!r} for {word!r}, which is not one of the "
        "tagger's labels: {labels}. Correct it, or leave the tag out."
    )
    P004 = "The tag dictionary has no tag for {word!r}. Leave the word out if it may have any."
    P005 = (
        "class_weights has the tag {tag!r}, which is not one of the tagger's labels: {labels}. "
        "Correct it."
    )
    P006 = (
        'class_weights = "balanced" was set after the tagger was initialized, so the tags '
        "were not counted. Initialize it, or give a weight for each tag."
    )
    P007 = "Found no token with a tag to calibrate on, expected some. Give annotated data."
    P008 = "{name!r} is a {kind}, expected an lstm_tagger. Give the name of one with --component."
    P009 = (
        "The training of {name!r} has diverged: {found}. Start again with a lower "
        "[training.optimizer] learn_rate (our configs have 0.005) and a grad_clip (5.0)."
    )
    P010 = (
        "The tag {tag!r} is not what tag_set = {tag_set!r} of the tagger says: a universal part of "
        "speech (NOUN), with its features if tag_set is upos+feats (NOUN|Case=Acc). Learn from "
        'that column (--vars.tag in our configs, tag in the readers), or set tag_set = "xpos".'
    )
    P011 = (
        "{name!r} found no word with a tag and a lemma in the training data, expected some. Give "
        "data with lemmas, or take the component out of the pipeline."
    )
    P012 = (
        "{name!r} listens to the component {encoder!r}, whose vectors are {expected} wide, but "
        "found vectors that are {found} wide, from another component. Put {encoder!r} before it, "
        "with no other encoder between. If this pipeline has another {encoder!r}, it needs an "
        "encoder of its own: load the pipeline that it comes from, call its "
        "replace_listeners({encoder!r}, {name!r}, ['model.tok2vec']), and add it from there "
        "(`source`)."
    )
    P013 = "{name!r} has {count} tags, but nO = {width}. Set nO = null: as many as it has tags."
    P014 = (
        "{name!r} listens to the component {encoder!r}, and cannot rehearse like this. Call "
        "nlp.replace_listeners({encoder!r}, {name!r}, ['model.tok2vec']), and rehearse within "
        "nlp.select_pipes(enable=[{name!r}])."
    )
    P015 = (
        "AddLabels.v1: the component {name!r} is a {kind}, expected a tagger. Give the name of one "
        "as `component`."
    )
    P016 = (
        "{name!r} listens to the component {encoder!r}, which has not run on this text: without "
        "its vectors all words look the same. Put {encoder!r} before it (in training, if one of "
        "the two is frozen or annotating, in [training] annotating_components too), or run it: "
        "nlp.get_pipe({encoder!r})(doc). In another pipeline it needs an encoder of its own: load "
        "the pipeline that it comes from, call its replace_listeners({encoder!r}, {name!r}, "
        "['model.tok2vec']), and add it from there (`source`)."
    )
    P017 = (
        "{name!r} listens to vectors that are {expected} wide, but those of {encoder!r} are "
        "{found} wide. Set width = {found} in the listener of each component that listens to it."
    )
    P018 = (
        "The tag dictionary {found}, expected a table of words, each with its tag or a list "
        'of tags, such as {{"the": ["DT"]}}.'
    )
    P019 = (
        "{name!r} found token.pos_ in the training data, but no tag. It learns from token.tag_: "
        'give universal tags there (Corpus.v1 with tag = "upos", "tags" in Example.from_dict).'
    )
    P020 = (
        "{name!r} is not initialized. Call nlp.initialize(); one that is in [training] "
        "frozen_components needs a trained `source`."
    )
    R001 = "Corpus: found nothing at path = {path}, expected a file or folder. Correct the path."
    R002 = "{path}: found no .conllu or .spacy file in this folder or below it. Correct the path."
    R003 = "{path}: found no sentence, expected some. Check that this is the right path."
    R004 = (
        "{path}: found no word with a tag in {column}, expected some with tag = {tag!r}. Set "
        "tag = {remedy!r} to learn from another column (--vars.tag {remedy} for a config of this "
        "project, --tag {remedy} for its commands) or, if that has none either, annotate it."
    )
    R005 = (
        '{path}: found no "# newdoc" comment before the {count} sentences read, expected '
        'one for each document to group by "document". Add them or group by a number.'
    )
    R006 = (
        "{place}: found byte 0x{byte:02x}, expected UTF-8. Convert the file to UTF-8; if it is "
        "packed, unpack it; if it is one of spaCy's, give it the suffix .spacy."
    )
    R007 = (
        "{place}: found {count} column(s), expected 10 with a tab between them (ID, FORM, "
        "LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC). {remedy}"
    )
    R008 = "{place}: found an empty FORM (column 2), expected a word. Write it there."
    R009 = (
        "{place}: found {feats!r} as FEATS (column 6), expected _ or Name=Value joined by "
        "|, such as Case=Acc|Number=Sing. Correct the column, or write _."
    )
    R010 = (
        "{place}: found id {id!r}, expected a number such as 3, a range such as 3-4 or an "
        "empty node such as 5.1. Correct the id; if this is a comment, start it with #."
    )
    R011 = (
        "{place}: found id {id}, expected {expected}, as each sentence counts its words "
        "from 1. Correct the id, or put an empty line between two sentences."
    )
    R012 = (
        "{place}: found range {id}, expected one that starts at the next word, {expected}, "
        "ends at it or later and lies in no other range. Correct the range."
    )
    R013 = (
        "{place}: found range {id} in a sentence that ends with word {last}, expected "
        "words up to {end}. Add the missing words, or shorten the range."
    )
    R016 = (
        "{path}: found .conllu and .spacy files in this folder or below it, expected one kind. "
        "Give a file, or a folder that has one kind."
    )
    R017 = (
        "{path}: found no word with pos_ (UPOS) or features, expected some for a morphologizer. "
        "Take the component out, or give a corpus that has them."
    )
    R018 = (
        "{path}: found no word with both a tag and a lemma, expected some. Give data with lemmas, "
        "or take the tag_lemmatizer out of the pipeline."
    )
    T001 = (
        "[training] max_steps = {steps} is less than eval_frequency = {every}: no step would be "
        "scored, and model-best would have learned nothing. Set --training.eval_frequency to a "
        "divisor of {steps}, such as {steps} itself."
    )
    T002 = (
        "{place}: expected the figures of an evaluation as a line of JSON, as ProgressLogger.v1 "
        "writes it ({error}). Give another file, or move this one away."
    )
