"""What trainers' parameters mean that are the same everywhere. `genbench show NAME` prints it beside each."""

from __future__ import annotations

from typing import Annotated

from genbench import api

Batch = Annotated[api.Count, api.doc("samples in a batch")]
Latent = Annotated[api.Count, api.doc("dimensions of the normal noise z")]
Nets = Annotated[
    api.PairName, api.doc("the pair of generator and critic; dcgan-gp for critics whose slope is penalised")
]
Width = Annotated[api.Count, api.doc("units of a hidden layer, or channels next to an image")]
Depth = Annotated[api.Count, api.doc("hidden layers, or stages that halve an image's side")]
CriticSteps = Annotated[api.Count, api.doc("updates of the critic or discriminator in a generator step")]
Rule = Annotated[api.OptimizerName, api.doc("of all networks")]
Rate = Annotated[api.Positive, api.doc("the learning rate, at its highest")]
Beta1 = Annotated[api.Decay, api.doc("Adam's decay of the mean gradient, or SGD's momentum")]
Beta2 = Annotated[api.Decay, api.doc("the decay of the mean squared gradient, of Adam or RMSProp")]
Schedule = Annotated[
    api.ScheduleName,
    api.doc(
        "how the rate falls: linear is a line that reaches 5 % after 95 % of the budget and stays there, cosine half "
        "a cosine that ends at 5 %"
    ),
]
